"""Paths of drafts, below ``/api/v1``."""

from django.urls import path

from api.drafts import views

urlpatterns = [path("rooms/<uuid:room_id>/draft", views.DraftView.as_view())]
