"""Paths of exports, below ``/api/v1``."""

from django.urls import path

from api.exports import views

urlpatterns = [path("me/export", views.ExportView.as_view())]
