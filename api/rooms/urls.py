"""Paths of members, below ``/api/v1``."""

from django.urls import path

from api.rooms import views

urlpatterns = [
    path("rooms/<uuid:room_id>/leave", views.LeaveView.as_view()),
    path("rooms/<uuid:room_id>/members", views.MembersView.as_view()),
    path("rooms/<uuid:room_id>/members/<uuid:user_id>", views.MemberView.as_view()),
]
