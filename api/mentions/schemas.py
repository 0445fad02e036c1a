"""What mentions look like on the wire, and in a message's row."""

import uuid
from collections.abc import Iterable, Sequence
from typing import Any, Literal

from accounts.schemas import Person
from api.codec import Payload


class Mention(Payload):
    """Who is named, and where in the text: in code points, the ``@`` included."""

    kind: Literal["user", "room"]
    user_id: uuid.UUID | None
    offset: int
    length: int


class NotInRoom(Payload):
    """A warning: ``user`` seems to be meant, but is not in the room and will not see it."""

    user: Person
    code: Literal["not_in_room"] = "not_in_room"


def stored(mentions: Iterable[Mention]) -> list[Any] | None:
    """Return mentions as a message's row keeps them: null for none."""
    kept = [
        [mention.user_id and str(mention.user_id), mention.offset, mention.length]
        for mention in mentions
    ]
    return kept or None


def shown(kept: Sequence[Sequence[Any]] | None) -> list[Mention]:
    """Show the mentions that a message's row keeps."""
    return [
        Mention("user" if user_id else "room", user_id and uuid.UUID(user_id), offset, length)
        for user_id, offset, length in kept or ()
    ]
