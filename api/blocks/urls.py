"""Paths of blocks, below ``/api/v1``."""

from django.urls import path

from api.blocks import views

urlpatterns = [
    path("blocks", views.BlocksView.as_view()),
    path("blocks/<uuid:user_id>", views.BlockView.as_view()),
]
