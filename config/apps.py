"""Registers the system checks."""

from django.apps import AppConfig
from django.core.checks import Tags, register
from typing_extensions import override

from config import checks


class Wiring(AppConfig):
    """Settings, checks and entry points, as a Django application."""

    name = "config"

    @override
    def ready(self) -> None:
        register(checks.security_floors, Tags.security)
        register(checks.layer_for_many_processes, Tags.security, deploy=True)
