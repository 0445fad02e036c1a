"""What looking up people answers."""

from accounts.schemas import Profile
from api.codec import Payload


class People(Payload):
    """Users, in the order of their ids."""

    items: list[Profile]
    next_cursor: str | None
