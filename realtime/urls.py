"""Paths of presence, below ``/api/v1``."""

from django.urls import path

from realtime import views

urlpatterns = [
    path("rooms/<uuid:room_id>/presence", views.RoomPresenceView.as_view()),
    path("me/presence", views.MyPresenceView.as_view()),
]
