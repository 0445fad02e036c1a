"""Paths of threads, below ``/api/v1``."""

from django.urls import path

from api.threads import views

urlpatterns = [
    path("me/threads", views.FollowedThreadsView.as_view()),
    path("messages/<uuid:message_id>/thread", views.ThreadView.as_view()),
    path("messages/<uuid:message_id>/thread/read", views.ReadThreadView.as_view()),
]
