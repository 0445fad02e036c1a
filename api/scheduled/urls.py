"""Paths of scheduled messages, below ``/api/v1``."""

from django.urls import path

from api.scheduled import views

urlpatterns = [
    path("rooms/<uuid:room_id>/scheduled", views.ScheduledListView.as_view()),
    path("rooms/<uuid:room_id>/scheduled/<uuid:scheduled_id>", views.ScheduledView.as_view()),
]
