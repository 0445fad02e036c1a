"""``manage.py revoke_bot_key USERNAME``: end the key that a bot has, and its sockets."""

from typing_extensions import override

from accounts import bots
from accounts.management.about_person import PersonCommand
from accounts.models import User


class Command(PersonCommand):
    """Keep a bot out until it is given another key."""

    help = "End a bot's key: requests are refused, sockets close. create_bot --new-key gives one."

    @override
    def act(self, user: User) -> str:
        bots.revoke_key(bot_id=user.id)
        return f"{user.username} has no key any more."
