"""Paths of notifications, below ``/api/v1``."""

from django.urls import path

from api.inbox import views

urlpatterns = [
    path("notifications", views.NotificationsView.as_view()),
    path("users/<uuid:user_id>/notifications", views.PersonNotificationsView.as_view()),
    path("notifications/read", views.ReadNotificationsView.as_view()),
]
