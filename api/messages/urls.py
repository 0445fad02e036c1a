"""Paths of messages, below ``/api/v1``."""

from django.urls import path

from api.messages import views

urlpatterns = [
    path("rooms/<uuid:room_id>/messages", views.MessagesView.as_view()),
    path("rooms/<uuid:room_id>/messages/delete", views.DeleteMessagesView.as_view()),
    path("messages/<uuid:message_id>", views.MessageView.as_view()),
]
