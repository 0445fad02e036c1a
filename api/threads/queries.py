"""Reads of threads: their replies, and a person's own place in them."""

import uuid
from collections.abc import Collection
from typing import NamedTuple

from django.db.models import BigIntegerField, Exists, OuterRef, Q, Subquery
from django.db.models.expressions import RawSQL

from api.errors import NotFound
from api.inbox.models import Notification
from api.log.heads import head_at, head_given
from api.messages.models import Message, Participant
from api.statements import Given, Rows, among

# Exact up to 1,000, and 1,000 above: contract §2, "Counts".
_UNREAD = """(SELECT count(*) FROM (
    SELECT 1 FROM api_message m
    WHERE m.thread_id = api_participant.thread_id AND m.seq > api_participant.read_seq
      AND m.sender_id <> api_participant.user_id AND m.deleted_at IS NULL
    LIMIT 1000) AS unread)"""


class Position(NamedTuple):
    """How far a person has read in a thread, and what is left, at the room's ``head``."""

    read_seq: int
    unread_count: int
    head: int


class Followed(NamedTuple):
    """A thread that a person follows, by its root, and the last reply that is left."""

    root_id: uuid.UUID
    last_id: uuid.UUID


_unread = RawSQL(_UNREAD, [], output_field=BigIntegerField())  # noqa: S611  no input
_position = Rows(
    Position,
    lambda: Participant.objects.filter(
        thread_id=Given("root_id"), user_id=Given("user_id")
    ).values_list(*("read_seq", _unread, head_given("room_id"))),
)
_positions = Rows(
    lambda root_id, *position: (root_id, Position(*position)),
    lambda: (
        Participant.objects.filter(among("thread_id", "root_ids"), user_id=Given("user_id"))
        .annotate(room=Subquery(Message.objects.filter(pk=OuterRef("thread_id")).values("room_id")))
        .values_list("thread_id", "read_seq", _unread, head_at("room"))
    ),
)
_replies = Message.objects.filter(thread_id=OuterRef("thread_id"), deleted_at=None)
_in_ones_rooms = Exists(
    Message.objects.filter(pk=OuterRef("thread_id"), room__members__user_id=Given("user_id"))
)
_followed = Rows(
    Followed,
    lambda: (
        Participant.objects.filter(_in_ones_rooms, user_id=Given("user_id"), follows=True)
        .annotate(last_id=Subquery(_replies.order_by("-seq").values("pk")[:1]))
        .filter(last_id__lt=Given("before"))
        .order_by("-last_id")
        .values_list("thread_id", "last_id")
    ),
)
_LAST = uuid.UUID(int=2**128 - 1)
_room_of_root = Rows(
    lambda room_id: room_id,
    lambda: Message.objects.filter(pk=Given("root_id"), thread_id=None).values_list("room_id"),
)


def room_of_root(root_id: uuid.UUID) -> uuid.UUID:
    """Return the room that a message is in on which a thread hangs, or may hang.

    Raises:
        NotFound: there is no such message, or it is a reply in a thread itself.
    """
    room_id: uuid.UUID | None = _room_of_root.first(root_id=root_id)
    if room_id is None:
        raise NotFound
    return room_id


def position(room_id: uuid.UUID, root_id: uuid.UUID, user_id: uuid.UUID) -> Position | None:
    """Return a person's place in a thread of this room, None when they have none."""
    return _position.first(room_id=room_id, root_id=root_id, user_id=user_id)


def kept_position(room_id: uuid.UUID, root_id: uuid.UUID, user_id: uuid.UUID) -> Position:
    """Return a person's place in a thread, which they have."""
    (found,) = _position.all(room_id=room_id, root_id=root_id, user_id=user_id)
    return found


def followed_by(user_id: uuid.UUID, before: uuid.UUID | None, limit: int) -> list[Followed]:
    """Return threads that a person has replied in, or written the root of, in their rooms.

    Those with the newest replies first, across rooms: ids of messages begin with their time.
    ``before`` is the last reply that the page before ended with.
    """
    return _followed.all(limit=limit, user_id=user_id, before=before or _LAST)


def positions(user_id: uuid.UUID, root_ids: Collection[uuid.UUID]) -> dict[uuid.UUID, Position]:
    """Return a person's places in these threads, by the roots."""
    return dict(_positions.all(user_id=user_id, root_ids=list(root_ids)))


def unread_notifications(user_id: uuid.UUID, root_id: uuid.UUID, seq: int) -> list[uuid.UUID]:
    """Return what a person has not read of what they were told about a thread, up to a number."""
    about = Message.objects.filter(Q(thread_id=root_id) | Q(pk=root_id), seq__lte=seq)
    found = Notification.objects.filter(
        user_id=user_id, read_at=None, message_id__in=about.values("pk")
    )
    return list(found.order_by("seq").values_list("pk", flat=True))
