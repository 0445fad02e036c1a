"""``manage.py revoke_sessions USERNAME``: sign somebody out, everywhere."""

from typing_extensions import override

from accounts import sessions
from accounts.management.about_person import PersonCommand
from accounts.models import User


class Command(PersonCommand):
    """End every session of a person."""

    help = "Sign somebody out on every device; they may sign in again."

    @override
    def act(self, user: User) -> str:
        sessions.logout_everywhere(user_id=user.id)
        return f"{user.username} is signed out everywhere."
