"""``manage.py disable_user USERNAME``: keep somebody out, at once."""

from typing_extensions import override

from accounts import actions
from accounts.management.about_person import PersonCommand
from accounts.models import User


class Command(PersonCommand):
    """Close every door to a person."""

    help = "Keep somebody out: requests are refused, sockets close, nobody signs in."

    @override
    def act(self, user: User) -> str:
        actions.disable_user(user_id=user.id)
        return f"{user.username} is out."
