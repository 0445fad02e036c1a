"""``manage.py serve``: REST and WebSocket on uvicorn, with this service's settings."""

from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand
from typing_extensions import override

from realtime.server import serve


class Command(BaseCommand):
    """Serve until told to stop."""

    help = "Serve REST and WebSocket."

    @override
    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--host", default="127.0.0.1")
        parser.add_argument("--port", type=int, default=settings.PORT)

    @override
    def handle(self, *args: Any, **options: Any) -> None:
        url = f"http://{options['host']}:{options['port']}"
        self.stdout.write(f"Gapless serves on {url}. Read {url}/docs, or say the first word:")
        self.stdout.write(
            f"""
  curl -s {url}/api/v1/auth/register -H 'Content-Type: application/json' \\
       -d '{{"username": "ada", "password": "correct horse battery"}}'
"""
        )
        self.stdout.flush()
        serve(host=options["host"], port=options["port"])
