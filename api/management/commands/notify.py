"""``manage.py notify USERNAME TEXT``: tell one person something, on every device."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from typing_extensions import override

from accounts.models import User
from accounts.usernames import normalized
from api.codec import decode
from api.errors import ChatError
from api.inbox.actions import notify


class Command(BaseCommand):
    """Put a notification into a person's stream."""

    help = "Tell one person something; it waits for them when they are not connected."

    @override
    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("username")
        parser.add_argument("text")
        parser.add_argument("--kind", default="notice")
        parser.add_argument("--data", help="an object in JSON")

    @override
    def handle(self, *args: Any, **options: Any) -> None:
        user = User.objects.filter(username=normalized(options["username"])).first()
        if user is None:
            raise CommandError(f"There is nobody called {options['username']}.")
        try:
            data = decode(options["data"], dict[str, Any]) if options["data"] else None
            text, kind = options["text"], options["kind"]
            sent = notify(user_id=user.id, text=text, kind=kind, data=data)
        except ChatError as error:
            raise CommandError(error.detail) from None
        self.stdout.write(f"{user.username} has it as number {sent.seq}.")
