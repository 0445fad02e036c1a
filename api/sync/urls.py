"""Paths of rooms as one sees them, below ``/api/v1``."""

from django.urls import path

from api.sync import views

urlpatterns = [
    path("sync", views.SyncView.as_view()),
    path("rooms", views.RoomsView.as_view()),
    path("rooms/direct", views.DirectView.as_view()),
    path("rooms/<uuid:room_id>", views.RoomView.as_view()),
    path("rooms/<uuid:room_id>/join", views.JoinView.as_view()),
    path("invites/<slug:code>/accept", views.AcceptInviteView.as_view()),
    path("rooms/<uuid:room_id>/preferences", views.PreferencesView.as_view()),
    path("rooms/<uuid:room_id>/read", views.ReadView.as_view()),
    path("read", views.ReadManyView.as_view()),
]
