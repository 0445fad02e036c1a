"""The commands and frames about the moment: who is typing, who is here. Pure."""

import uuid
from typing import Annotated, Literal

import msgspec

from accounts.presence import Seen
from accounts.schemas import Person
from api.codec import Body, Instant, Payload


class SayTyping(Body):
    """One types in a room, or does so no more; to be renewed within six seconds."""

    room_id: uuid.UUID
    active: bool


class SayActive(Body):
    """Whether the application is in front; each socket begins with it in front."""

    active: bool


class Typing(Payload, tag_field="type", tag="typing"):
    """Somebody types in a room, or does so no more."""

    room_id: str
    user_id: str
    active: bool


class Present(Payload):
    """How somebody is seen; ``last_seen_at`` is null while they are, and where they hide it."""

    user: Person
    status: Literal["online", "away", "dnd", "offline"]
    last_seen_at: Instant | None


class RoomPresence(Payload):
    """The people of a room; above 200 members ``items`` is empty. ``count``: not offline."""

    items: list[Present]
    count: Annotated[int, msgspec.Meta(ge=0)]


class Presence(Payload, tag_field="type", tag="presence"):
    """First who is here, then how who has changed is seen; nobody above 200 members.

    ``count`` is how many of the room's members are not offline.
    """

    room_id: str
    items: list[Present]
    count: Annotated[int, msgspec.Meta(ge=0)]


def shown(seen: Seen, status: Literal["online", "away", "dnd"] | None) -> Present:
    """Show somebody, whose status is None when they are offline."""
    last = seen.last_seen_at if status is None else None
    return Present(user=seen.person, status=status or "offline", last_seen_at=last)
