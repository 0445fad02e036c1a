"""Paths of people, below ``/api/v1``."""

from django.urls import path

from api.people import views

urlpatterns = [
    path("me/delete", views.DeleteMeView.as_view()),
    path("users", views.PeopleView.as_view()),
    path("users/<uuid:user_id>", views.PersonView.as_view()),
]
