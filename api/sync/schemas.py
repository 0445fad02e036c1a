"""What a person's own view of their rooms looks like on the wire."""

import uuid
from typing import Annotated

import msgspec

from accounts.schemas import Me, Person
from api.blocks.schemas import BlockOut
from api.codec import Body, Instant, Payload, Seq
from api.drafts.schemas import DraftOut
from api.inbox.schemas import Notifications
from api.messages.schemas import MessageOut
from api.rooms.schemas import Preferences, RoleName, RoomFact


class Read(Body):
    """Read up to ``seq``; backwards only when it is said."""

    seq: Seq
    backward: bool = False


class ReadMany(Body):
    """How far one has read, by room."""

    rooms: Annotated[dict[uuid.UUID, Seq], msgspec.Meta(min_length=1, max_length=100)]


class Counts(Payload):
    """How far one has read, and what is left, as it was at ``head``."""

    room_id: uuid.UUID
    read_seq: int
    unread_count: int
    mention_count: int
    head: int


class CountsList(Payload):
    """Counts of several rooms."""

    items: list[Counts]


class RoomOut(RoomFact):
    """A room as one person sees it: from ``last_message`` on null for non-members.

    ``users``: the others, in direct rooms only. Counts are true at ``last_seq``.
    """

    users: list[Person] | None
    last_seq: int
    last_message: MessageOut | None
    my_role: RoleName | None
    read_seq: int | None
    unread_count: int | None
    mention_count: int | None
    preferences: Preferences | None


class RoomList(Payload):
    """Rooms, in the order of their making."""

    items: list[RoomOut]
    next_cursor: str | None


class InboxHead(Payload):
    """One's own stream, and the number of its last event."""

    stream: uuid.UUID
    head: int


class Sync(Payload):
    """Everything at once, read in one snapshot."""

    epoch: uuid.UUID
    time: Instant
    me: Me
    rooms: list[RoomOut]
    notifications: Notifications
    blocks: list[BlockOut]
    drafts: list[DraftOut]
    inbox: InboxHead
