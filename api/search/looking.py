"""What both databases are asked, and what they answer."""

import uuid
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from api.search.wanted import Wanted

HAS = ("link", "file", "image")


@dataclass(frozen=True)
class Search:
    """Messages with these words in the rooms of a person; ``since`` is included, ``until`` not."""

    user_id: uuid.UUID
    wanted: Wanted
    room_id: uuid.UUID | None = None
    sender_id: uuid.UUID | None = None
    since: datetime | None = None
    until: datetime | None = None
    has: str | None = None


class Hit(NamedTuple):
    """A message that was found. Bytes of a higher ``place`` sort higher: it is newer."""

    message_id: uuid.UUID
    place: bytes


class Bound(NamedTuple):
    """Only what is older than this place, or also what stands there."""

    place: bytes
    included: bool = False
