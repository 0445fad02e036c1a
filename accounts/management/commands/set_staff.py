"""``manage.py set_staff USERNAME``: let a person notify others in the name of the service."""

from argparse import ArgumentParser
from typing import Any

from typing_extensions import override

from accounts import actions
from accounts.management.about_person import PersonCommand
from accounts.models import User


class Command(PersonCommand):
    """Make somebody staff, or no longer."""

    help = "Let a person send notifications to anybody, as bots do; --off takes it back."

    @override
    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("--off", action="store_true")

    @override
    def handle(self, *args: Any, **options: Any) -> None:
        self._staff = not options["off"]
        super().handle(*args, **options)

    @override
    def act(self, user: User) -> str:
        actions.set_staff(user_id=user.id, staff=self._staff)
        return f"{user.username} is {'' if self._staff else 'no longer '}staff."
