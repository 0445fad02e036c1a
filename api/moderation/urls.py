"""Paths of moderators, below ``/api/v1``."""

from django.urls import path

from api.moderation import reporting, views

urlpatterns = [
    path("rooms/<uuid:room_id>/bans", views.BansView.as_view()),
    path("rooms/<uuid:room_id>/bans/<uuid:user_id>", views.BanView.as_view()),
    path("rooms/<uuid:room_id>/mutes", views.MutesView.as_view()),
    path("rooms/<uuid:room_id>/mutes/<uuid:user_id>", views.MuteView.as_view()),
    path("rooms/<uuid:room_id>/filter", views.FilterView.as_view()),
    path("messages/<uuid:message_id>/report", reporting.ReportMessageView.as_view()),
    path("reports", reporting.ReportsView.as_view()),
    path("reports/<uuid:report_id>/resolve", reporting.ResolveReportView.as_view()),
    path("rooms/<uuid:room_id>/audit", views.AuditView.as_view()),
]
