"""Registers the system checks, and what new database connections are told."""

from django.apps import AppConfig, apps
from django.core.checks import Tags, register
from django.db.backends.signals import connection_created
from django.db.models.signals import post_migrate, pre_migrate
from typing_extensions import override

from api import folding
from api.search import index
from config import checks, database


class Wiring(AppConfig):
    """Settings, checks and entry points, as a Django application."""

    name = "config"

    @override
    def ready(self) -> None:
        connection_created.connect(database.opened)
        connection_created.connect(folding.connected)
        connection_created.connect(index.connected)
        pre_migrate.connect(index.set_aside, sender=apps.get_app_config("api"))
        post_migrate.connect(index.restored, sender=apps.get_app_config("api"))
        register(checks.security_floors, Tags.security)
        register(checks.layer_for_many_processes, Tags.security, deploy=True)
        register(checks.addresses_behind_a_proxy, Tags.security, deploy=True)
