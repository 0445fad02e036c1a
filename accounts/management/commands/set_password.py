"""``manage.py set_password USERNAME``: give somebody another password, signed out everywhere."""

import sys
from getpass import getpass

from django.core.management.base import CommandError
from typing_extensions import override

from accounts import actions
from accounts.management.about_person import PersonCommand
from accounts.models import User


class Command(PersonCommand):
    """Set a person's password; arguments would be seen by everybody on the machine."""

    help = "Set somebody's password, asked for or read from standard input; ends every session."

    @override
    def act(self, user: User) -> str:
        actions.set_password(user_id=user.id, password=_password())
        return f"{user.username} has another password, and is signed out everywhere."


def _password() -> str:
    if not sys.stdin.isatty():
        return sys.stdin.readline().rstrip("\r\n")
    password = getpass("New password: ")
    if getpass("Once more: ") != password:
        raise CommandError("They are not the same.")
    return password
