"""Paths of searching, below ``/api/v1``."""

from django.urls import path

from api.search import views

urlpatterns = [path("search", views.SearchView.as_view())]
