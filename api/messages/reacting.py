"""Writes of reactions: each that is given or taken back is one event about its message.

Whoever writes holds the lock of the room, so the count that an event tells is exact.
"""

import uuid
from datetime import datetime
from typing import NamedTuple

from django.db.models import QuerySet

from api.clock import now
from api.codec import plain
from api.errors import LimitReached, NotFound
from api.log.append import Entry, append, lock, writing
from api.messages import queries
from api.messages.emoji import emoji_in
from api.messages.models import Message, Reaction, ReactionKind
from api.messages.schemas import Reacted, ReactionChanged
from api.rooms import permissions
from api.rooms import queries as rooms
from api.rooms.models import Member

KINDS_MAX = 50  # on one message; of each as many as there are people


class _Standing(NamedTuple):
    """What there is of an emoji on a message, for one person."""

    member: Member
    message: Message
    emoji: str
    kinds: int
    times: int
    mine: bool


def add_reaction(*, user_id: uuid.UUID, message_id: uuid.UUID, emoji: str) -> Reacted:
    """Give a message an emoji, once.

    Raises:
        InvalidRequest: it is no emoji.
        NotFound: no such message, not one's to see, or deleted.
        PermissionDenied: the role only reads.
        RoomArchived, Muted: as ``permissions.check_may_write``.
        LimitReached: the message has too many different ones.
    """
    emoji = emoji_in(emoji)
    room_id = queries.room_of(message_id)
    with writing():
        lock(room_id)
        there = _standing(user_id, room_id, message_id, emoji)
        if there.mine:
            return Reacted(seq=None, count=there.times)
        moment = now()
        permissions.check_may_write(there.member.room, there.member, moment)
        if there.times == 0 and there.kinds >= KINDS_MAX:
            raise LimitReached(f"A message takes {KINDS_MAX} different reactions.")
        count = there.times + 1
        seq = _record("reaction.added", there, count, moment)
        Reaction.objects.create(message_id=message_id, emoji=emoji, user_id=user_id)
        if count == 1:
            ReactionKind.objects.create(
                message_id=message_id, emoji=emoji, first_seq=seq, count=count
            )
        else:
            _kind(there).update(count=count)
    return Reacted(seq=seq, count=count)


def remove_reaction(*, user_id: uuid.UUID, message_id: uuid.UUID, emoji: str) -> Reacted:
    """Take back an emoji that one has given, whatever one may write now.

    Raises:
        InvalidRequest: it is no emoji.
        NotFound: no such message, not one's to see, or deleted.
        PermissionDenied: as ``rooms.member_in``.
        RoomArchived: nothing changes in it.
    """
    emoji = emoji_in(emoji)
    room_id = queries.room_of(message_id)
    with writing():
        lock(room_id)
        there = _standing(user_id, room_id, message_id, emoji)
        if not there.mine:
            return Reacted(seq=None, count=there.times)
        permissions.check_not_archived(there.member.room)
        count = there.times - 1
        seq = _record("reaction.removed", there, count, now())
        Reaction.objects.filter(message_id=message_id, emoji=emoji, user_id=user_id).delete()
        if count == 0:
            _kind(there).delete()
        else:
            _kind(there).update(count=count)
    return Reacted(seq=seq, count=count)


def _standing(
    user_id: uuid.UUID, room_id: uuid.UUID, message_id: uuid.UUID, emoji: str
) -> _Standing:
    member = rooms.member_in(room_id, user_id)
    message = Message.objects.get(pk=message_id)
    if message.deleted_at is not None:
        raise NotFound("The message has been deleted.")
    kinds = ReactionKind.objects.filter(message_id=message_id)
    counts = dict(kinds.values_list("emoji", "count"))
    mine = Reaction.objects.filter(message_id=message_id, emoji=emoji, user_id=user_id).exists()
    return _Standing(member, message, emoji, len(counts), counts.get(emoji, 0), mine)


def _record(event_type: str, there: _Standing, count: int, moment: datetime) -> int:
    """Record what is changed; return its number, which is the message's newest as well."""
    message, user_id = there.message, there.member.user_id
    changed = ReactionChanged(
        message_id=message.id,
        message_seq=message.seq,
        emoji=there.emoji,
        user_id=user_id,
        count=count,
    )
    entry = Entry(message.room_id, event_type, user_id, data=plain(changed))
    (event,) = append([entry], at=moment)
    Message.objects.filter(pk=message.id).update(changed_seq=event.seq)
    return event.seq


def _kind(there: _Standing) -> QuerySet[ReactionKind]:
    return ReactionKind.objects.filter(message_id=there.message.id, emoji=there.emoji)
