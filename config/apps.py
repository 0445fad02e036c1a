"""Registers the system checks, and what new database connections are told."""

from django.apps import AppConfig
from django.core.checks import Tags, register
from django.db.backends.signals import connection_created
from typing_extensions import override

from config import checks, database


class Wiring(AppConfig):
    """Settings, checks and entry points, as a Django application."""

    name = "config"

    @override
    def ready(self) -> None:
        connection_created.connect(database.opened)
        register(checks.security_floors, Tags.security)
        register(checks.layer_for_many_processes, Tags.security, deploy=True)
