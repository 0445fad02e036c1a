"""Keeping the rows that mentions are counted by: written, replaced and gone with the message."""

import uuid
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from django.db.models import QuerySet

from api.changes import Insertion
from api.mentions.models import Mention as Row
from api.mentions.schemas import Mention

_insertion = Insertion(Row, "room_id", "seq", "user_id", "sender_id")


class Spoken(NamedTuple):
    """A message by its place, and who is named in it."""

    room_id: uuid.UUID
    seq: int
    sender_id: uuid.UUID
    mentions: Sequence[Mention]


def record(messages: Iterable[Spoken]) -> None:
    """Have the mentions of new messages counted, in one statement."""
    rows = [
        (message.room_id, message.seq, user_id, message.sender_id)
        for message in messages
        for user_id in dict.fromkeys(mention.user_id for mention in message.mentions)
    ]
    if rows:
        _insertion.run(rows)


def forget(room_id: uuid.UUID, seqs: QuerySet[Any, Any] | Sequence[int]) -> None:
    """Have the mentions of these messages counted no more."""
    Row.objects.filter(room_id=room_id, seq__in=seqs).delete()
