"""Paths of receipts, below ``/api/v1``."""

from django.urls import path

from api.receipts import views

urlpatterns = [path("messages/<uuid:message_id>/readers", views.ReadersView.as_view())]
