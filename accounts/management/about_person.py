"""A command about one person, who is called by name."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from typing_extensions import override

from accounts import queries
from accounts.models import User
from api.errors import ChatError


class PersonCommand(BaseCommand):
    """Finds the person, and says in one line what came of it."""

    @override
    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("username")

    @override
    def handle(self, *args: Any, **options: Any) -> None:
        user = queries.user_named(options["username"])
        if user is None:
            raise CommandError(f"There is nobody called {options['username']}.")
        try:
            self.stdout.write(self.act(user))
        except ChatError as error:
            raise CommandError(error.detail) from None

    def act(self, user: User) -> str:
        """Do it, and return what to say."""
        raise NotImplementedError
