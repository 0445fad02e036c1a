"""Paths of invitations and of requests to join, below ``/api/v1``."""

from django.urls import path

from api.invitations import views

urlpatterns = [
    path("rooms/<uuid:room_id>/invites", views.InvitesView.as_view()),
    path("rooms/<uuid:room_id>/invites/<slug:code>", views.InviteView.as_view()),
    path("rooms/<uuid:room_id>/requests", views.RequestsView.as_view()),
    path("rooms/<uuid:room_id>/requests/<uuid:user_id>", views.RequestView.as_view()),
]
