"""Paths of attachments, below ``/api/v1``."""

from django.urls import path

from api.attachments import views

urlpatterns = [
    path("uploads", views.UploadsView.as_view()),
    path("attachments/<uuid:attachment_id>", views.AttachmentView.as_view()),
    path("attachments/<uuid:attachment_id>/thumbnail", views.ThumbnailView.as_view()),
]
