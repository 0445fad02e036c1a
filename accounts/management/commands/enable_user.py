"""``manage.py enable_user USERNAME``: let somebody in again."""

from typing_extensions import override

from accounts import actions
from accounts.management.about_person import PersonCommand
from accounts.models import User


class Command(PersonCommand):
    """Let a person sign in again."""

    help = "Let somebody sign in again who was disabled."

    @override
    def act(self, user: User) -> str:
        actions.enable_user(user_id=user.id)
        return f"{user.username} may sign in."
