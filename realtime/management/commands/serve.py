"""``manage.py serve``: REST and WebSocket on uvicorn, with this service's settings."""

import logging
from argparse import ArgumentParser, ArgumentTypeError
from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand
from typing_extensions import override

from realtime.server import serve

WORKERS_MAX = 256  # more is a slip of the finger

WELCOME = """\
Gapless serves on {url}. Read {url}/docs, or say the first word:

  curl -s {url}/api/v1/auth/register -H 'Content-Type: application/json' \\
       -d '{{"username": "ada", "password": "correct horse battery"}}'
"""
NOT_SHARED = (
    "{count} workers without REDIS_URL: news of another one arrive within 5 seconds, not at once.",
    "What is counted in memory (limits, presence) is counted in each worker for itself.",
)
ONE_FILE = "SQLite: writers of different workers wait for each other at the file."

log = logging.getLogger(__name__)


class Command(BaseCommand):
    """Serve until told to stop."""

    help = "Serve REST and WebSocket."

    @override
    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--host", default="127.0.0.1")
        parser.add_argument("--port", type=_between(0, 65_535), default=settings.PORT)
        parser.add_argument(
            "--workers", type=_between(1, WORKERS_MAX), default=1, help="processes (default 1)"
        )

    @override
    def handle(self, *args: Any, **options: Any) -> None:
        host, port, count = options["host"], options["port"], options["workers"]

        def announce() -> None:
            self.stdout.write(WELCOME.format(url=f"http://{host}:{port}"))
            for line in per_process(count):
                self.stdout.write(line)
                log.warning(line)
            self.stdout.flush()

        serve(host=host, port=port, count=count, announce=announce)


def per_process(count: int) -> list[str]:
    """Return what the operator of so many workers should know; nothing of one."""
    lines = []
    if count > 1 and not settings.ENV.redis_url:
        lines += [line.format(count=count) for line in NOT_SHARED]
    if count > 1 and settings.DATABASE["ENGINE"].endswith("sqlite3"):
        lines.append(ONE_FILE)
    return lines


def _between(low: int, high: int) -> Callable[[str], int]:
    def number(text: str) -> int:
        if not text.isdecimal() or not low <= int(text) <= high:
            raise ArgumentTypeError(f"{text!r} is not between {low} and {high}.")
        return int(text)

    return number
