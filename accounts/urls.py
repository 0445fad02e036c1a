"""Paths of accounts, below ``/api/v1``."""

from django.urls import path

from accounts import views

urlpatterns = [
    path("auth/register", views.RegisterView.as_view()),
    path("auth/login", views.LoginView.as_view()),
    path("auth/refresh", views.RefreshView.as_view()),
    path("auth/logout", views.LogoutView.as_view()),
    path("auth/logout-all", views.LogoutAllView.as_view()),
    path("auth/password", views.PasswordView.as_view()),
    path("auth/socket-token", views.SocketTokenView.as_view()),
    path("auth/download-token", views.DownloadTokenView.as_view()),
    path("auth/sessions", views.SessionsView.as_view()),
    path("auth/sessions/<uuid:session_id>", views.SessionView.as_view()),
    path("me", views.MeView.as_view()),
]
