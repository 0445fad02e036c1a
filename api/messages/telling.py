"""Whom a message is told to besides its room: those it names, answers, or is sent to directly.

One notification for a person and a message, of the strongest kind that they want to have. The
streams of the rooms are locked; what is read here is true. Nothing is written here: rows are
locked after all streams (docs/decisions/0006).
"""

import uuid
from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from typing import NamedTuple

import uuid_utils.compat as uuid_utils
from django.db.models import Q

from accounts.schemas import person
from api.blocks.queries import blocks_among
from api.inbox.message_notices import Notice
from api.inbox.schemas import NOTICES
from api.mentions.schemas import Mention
from api.messages.participation import followers_of
from api.rooms.models import Kind, Member
from api.statements import Rows, among

TOLD_MAX = 200  # people of a room that an ``@room`` is told to; with more it only counts
ASKED_FOR = {"mention", "room_mention"}  # what who wants mentions only is told


class Word(NamedTuple):
    """A message that is about to be written, by whom, and what it answers.

    ``answered`` wrote what it quotes, or the root of its thread.
    """

    id: uuid.UUID
    seq: int
    sender: Member
    mentions: Sequence[Mention]
    answered: Collection[uuid.UUID]
    thread_id: uuid.UUID | None

    @property
    def to_all(self) -> str | None:
        """The kind of which everybody in the room is told, None where not everybody is."""
        if self.sender.room.kind == Kind.DIRECT:
            return "direct_message"
        of_room = any(mention.kind == "room" for mention in self.mentions)
        return "room_mention" if of_room and self.sender.room.member_count <= TOLD_MAX else None


class _Listener(NamedTuple):
    """A member, and of what they want to be told."""

    room_id: uuid.UUID
    user_id: uuid.UUID
    level: str
    muted_until: datetime | None

    def wants(self, kind: str, moment: datetime) -> bool:
        if self.muted_until is not None and self.muted_until > moment:
            return False
        return self.level == "all" or (self.level == "mentions" and kind in ASKED_FOR)


_listeners = Rows(
    _Listener,
    lambda: Member.objects.filter(
        Q(among("room_id", "whole")) | Q(among("room_id", "rooms")) & Q(among("user_id", "users"))
    ).values_list("room_id", "user_id", "notification_level", "notifications_muted_until"),
)


def notices(words: Sequence[Word], moment: datetime) -> list[Notice]:
    """Return whom these messages are told to, in their order."""
    followers = followers_of({word.thread_id for word in words if word.thread_id})
    some = [_some(word, followers.get(word.thread_id, ())) for word in words]
    if not any(some) and not any(word.to_all for word in words):
        return []
    members = _members(words, some)
    told = [
        (word, listener, kind)
        for word, kinds in zip(words, some, strict=True)
        for listener in members[word.sender.room_id]
        for kind in [_strongest(word, kinds.get(listener.user_id, set()), listener, moment)]
        if kind is not None
    ]
    blocks = blocks_among(
        {
            (listener.user_id, word.sender.user_id)
            for word, listener, _ in told
            if not word.sender.room.of_two  # where who is blocked does not send
        }
    )
    return [
        Notice(
            id=uuid_utils.uuid7(),
            user_id=listener.user_id,
            kind=kind,
            actor=person(word.sender.user),
            room_id=word.sender.room_id,
            message_id=word.id,
            message_seq=word.seq,
        )
        for word, listener, kind in told
        if (listener.user_id, word.sender.user_id) not in blocks
    ]


def _some(word: Word, followers: Iterable[uuid.UUID]) -> dict[uuid.UUID, set[str]]:
    """Return those whom a message is about, each with the kinds that fit."""
    kinds: dict[uuid.UUID, set[str]] = defaultdict(set)
    for mention in word.mentions:
        if mention.user_id is not None:
            kinds[mention.user_id].add("mention")
    for user_id in (*word.answered, *followers):
        kinds[user_id].add("reply")
    return kinds


def _members(
    words: Sequence[Word], some: Sequence[dict[uuid.UUID, set[str]]]
) -> dict[uuid.UUID, list[_Listener]]:
    """Return the members among whom those are who are told, in one query."""
    found: dict[uuid.UUID, list[_Listener]] = defaultdict(list)
    for listener in _listeners.all(
        whole=list({word.sender.room_id for word in words if word.to_all}),
        rooms=list({word.sender.room_id for word, kinds in zip(words, some, strict=True) if kinds}),
        users=list({user_id for kinds in some for user_id in kinds}),
    ):
        found[listener.room_id].append(listener)
    return found


def _strongest(word: Word, kinds: set[str], listener: _Listener, moment: datetime) -> str | None:
    fitting = kinds | ({word.to_all} if word.to_all else set())
    if listener.user_id == word.sender.user_id:
        return None
    return next(
        (kind for kind in NOTICES if kind in fitting and listener.wants(kind, moment)), None
    )
