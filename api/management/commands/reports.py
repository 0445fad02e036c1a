"""``manage.py reports``: what was reported in direct rooms, which have no moderators."""

import uuid
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from typing_extensions import override

from api.codec import encode
from api.errors import ChatError
from api.moderation.queries import reports_shown, unmoderated_reports
from api.moderation.reports import resolve_unmoderated

LISTED_AT_ONCE = 200


class Command(BaseCommand):
    """List what operators have to decide, as JSON Lines, or decide about one of it."""

    help = "List the open reports of direct rooms, the oldest first; --resolve closes one."

    @override
    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--resolve", metavar="ID", type=uuid.UUID)
        parser.add_argument("--action", choices=["dismissed", "handled"], default="handled")
        parser.add_argument("--note", help="at most 500 characters")

    @override
    def handle(self, *args: Any, **options: Any) -> None:
        if options["resolve"] is None:
            self._list()
            return
        if len(options["note"] or "") > 500:
            raise CommandError("A note has at most 500 characters.")
        try:
            resolve_unmoderated(
                report_id=options["resolve"], action=options["action"], note=options["note"]
            )
        except ChatError as error:
            raise CommandError(error.detail) from None
        self.stdout.write(f"It is {options['action']}.")

    def _list(self) -> None:
        waiting = unmoderated_reports().filter(resolved_at=None).order_by("pk")
        page = list(waiting[:LISTED_AT_ONCE])
        while page:
            for shown in reports_shown(page):
                self.stdout.write(encode(shown).decode())
            page = list(waiting.filter(pk__gt=page[-1].pk)[:LISTED_AT_ONCE])
