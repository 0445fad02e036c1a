"""``manage.py erase_user USERNAME``: forget somebody, at their request."""

from typing_extensions import override

from accounts.management.about_person import PersonCommand
from accounts.models import User
from api.people.erasure import erase_user


class Command(PersonCommand):
    """Erase a person: account, sessions, and all they said."""

    help = "Erase somebody: account, sessions, messages. There is no way back."

    @override
    def act(self, user: User) -> str:
        username = user.username
        erase_user(user_id=user.id)
        return f"{username} is erased."
