"""``manage.py notify USERNAME TEXT``: tell one person something, on every device."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from typing_extensions import override

from accounts.models import User
from accounts.usernames import normalized
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

    @override
    def handle(self, *args: Any, **options: Any) -> None:
        user = User.objects.filter(username=normalized(options["username"])).first()
        if user is None:
            raise CommandError(f"There is nobody called {options['username']}.")
        try:
            sent = notify(user_id=user.id, text=options["text"], kind=options["kind"])
        except ChatError as error:
            raise CommandError(error.detail) from None
        self.stdout.write(f"{user.username} has it as number {sent.seq}.")
