"""Paths of messages, below ``/api/v1``."""

from django.urls import path

from api.messages import mark_views, views

urlpatterns = [
    path("rooms/<uuid:room_id>/messages", views.MessagesView.as_view()),
    path("rooms/<uuid:room_id>/messages/delete", views.DeleteMessagesView.as_view()),
    path("messages/<uuid:message_id>", views.MessageView.as_view()),
    path(
        "messages/<uuid:message_id>/reactions/<str:emoji>",
        mark_views.ReactionView.as_view(),
    ),
    path("messages/<uuid:message_id>/pin", mark_views.PinView.as_view()),
    path("rooms/<uuid:room_id>/pins", mark_views.PinsView.as_view()),
]
