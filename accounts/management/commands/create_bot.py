"""``manage.py create_bot NAME``: make a bot, and print its key, once."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from typing_extensions import override

from accounts import bots, queries
from api.errors import ChatError


class Command(BaseCommand):
    """Make a bot, or give it another key."""

    help = "Make a bot and print its key, which is not stored: keep it where secrets are kept."

    @override
    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("username")
        parser.add_argument("--display-name", help="what people see; the username by default")
        parser.add_argument(
            "--new-key", action="store_true", help="for a bot that is there; ends the key it has"
        )

    @override
    def handle(self, *args: Any, **options: Any) -> None:
        try:
            key = self._key(options)
        except ChatError as error:
            faults = [fault.detail for fault in error.errors]
            raise CommandError(" ".join(faults) or error.detail) from None
        self.stdout.write(key)

    def _key(self, options: dict[str, Any]) -> str:
        username = options["username"]
        if not options["new_key"]:
            _, key = bots.create_bot(username=username, display_name=options["display_name"])
            return key
        bot = queries.user_named(username)
        if bot is None:
            raise CommandError(f"There is nobody called {username}.")
        return bots.replace_key(bot_id=bot.id)
