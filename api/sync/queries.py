"""A person's view of rooms: how far they have read, and what is left.

Everything that is counted comes with the number it was counted at, out of one statement.
"""

import uuid
from collections import defaultdict
from collections.abc import Callable, Collection, Sequence
from datetime import datetime
from typing import Any, NamedTuple, cast

from django.db.models import BigIntegerField, Case, Exists, OuterRef, Q, Subquery, When
from django.db.models.expressions import RawSQL
from msgspec.structs import asdict

from accounts.queries import selves_by_id
from accounts.schemas import PERSON_COLUMNS, Person
from api.blocks import queries as blocks
from api.clock import now
from api.codec import Payload, instant, instant_or_none
from api.drafts.queries import drafts_of
from api.folding import containing
from api.inbox import queries as inbox
from api.log.epoch import current_epoch
from api.log.heads import head_at, head_of
from api.log.reading import Recorded
from api.messages import queries as messages
from api.messages.models import Message
from api.messages.schemas import MessageOut
from api.rooms import queries as rooms
from api.rooms.models import Ban, Kind, Member, Room
from api.rooms.queries import Place
from api.rooms.schemas import Preferences, PreferencesUpdated, role_name, room_fact
from api.statements import Given, Rows, among, parts
from api.sync.schemas import Counts, InboxHead, RoomOut, Sync

NOTIFICATIONS_IN_SYNC = 50

# Exact up to 1,000, and 1,000 above: contract §2, "Counts".
_UNREAD = """(SELECT count(*) FROM (
    SELECT 1 FROM api_message m
    WHERE m.room_id = api_member.room_id AND m.seq > api_member.read_seq
      AND m.sender_id <> api_member.user_id
      AND m.deleted_at IS NULL AND m.thread_id IS NULL
    LIMIT 1000) AS unread)"""


# The same of those that name one, or the room; each part has a message at most once.
_MENTIONS = """(SELECT count(*) FROM (
    SELECT seq FROM (SELECT n.seq FROM api_mention n
        WHERE n.room_id = api_member.room_id AND n.user_id = api_member.user_id
          AND n.seq > api_member.read_seq AND n.sender_id <> api_member.user_id
        LIMIT 1000) AS of_one
    UNION
    SELECT seq FROM (SELECT n.seq FROM api_mention n
        WHERE n.room_id = api_member.room_id AND n.user_id IS NULL
          AND n.seq > api_member.read_seq AND n.sender_id <> api_member.user_id
        LIMIT 1000) AS of_all
    LIMIT 1000) AS mentions)"""


class Membership(NamedTuple):
    """A person's place in a room, with the counts that are true at ``head``."""

    role: int
    counts: Counts


class SeenRoom(NamedTuple):
    """A room with one member's place in it; the fields are those of the models."""

    id: uuid.UUID
    name: str | None
    kind: str
    join: str
    topic: str
    metadata: dict[str, Any] | None
    avatar: dict[str, Any] | None
    created_at: datetime
    archived_at: datetime | None
    frozen: bool
    slow_mode_seconds: int
    member_count: int
    role: int
    read_seq: int
    notification_level: str
    notifications_muted_until: datetime | None
    favourite: bool
    head: int
    unread: int
    mentions: int
    newest_id: uuid.UUID | None
    hidden: bool


def _counted() -> Any:
    return Member.objects.filter(user_id=Given("user_id")).annotate(
        head=head_at("room_id"),
        unread=RawSQL(_UNREAD, [], output_field=BigIntegerField()),  # noqa: S611  no input
        mentions=RawSQL(_MENTIONS, [], output_field=BigIntegerField()),  # noqa: S611  no input
    )


def _seen(condition: Any) -> Any:
    newest = Message.objects.filter(room_id=OuterRef("room_id"), thread_id=None)
    newest_id = Subquery(newest.order_by("-seq").values("pk")[:1])
    later = Message.objects.filter(room_id=OuterRef("room_id"), seq__gt=OuterRef("hidden_seq"))
    hidden = Case(When(hidden_seq=None, then=False), default=~Exists(later))
    members = _counted().annotate(newest_id=newest_id, hidden=hidden).filter(condition)
    members = members.order_by("room_id")
    fields = SeenRoom._fields
    of_member = fields.index("role")
    return members.values_list(
        *(f"room__{name}" for name in fields[:of_member]), *fields[of_member:]
    )


_memberships = Rows(
    lambda role, *counts: Membership(role, _counts(*counts)),
    lambda: (
        _counted()
        .filter(among("room_id", "room_ids"))
        .values_list("role", "room_id", "read_seq", "unread", "mentions", "head")
    ),
)
_rooms_after = Rows(SeenRoom, lambda: _seen(Q(room_id__gt=Given("after"))))
_rooms_among = Rows(SeenRoom, lambda: _seen(among("room_id", "room_ids")))
_FIRST = uuid.UUID(int=0)


def memberships(user_id: uuid.UUID, room_ids: Collection[uuid.UUID]) -> list[Membership]:
    """Return those of these memberships that a person has, in one statement."""
    return _memberships.all(user_id=user_id, room_ids=list(room_ids))


def _counts(room_id: uuid.UUID, read_seq: int, unread: int, mentions: int, head: int) -> Counts:
    return Counts(
        room_id=room_id,
        read_seq=read_seq,
        unread_count=unread,
        mention_count=mentions,
        head=head,
    )


def rooms_of(
    user_id: uuid.UUID, after: uuid.UUID | None = None, limit: int | None = None
) -> list[RoomOut]:
    """Return a person's rooms as they see them; to be read in one snapshot."""
    return _shown(user_id, _rooms_after.all(user_id=user_id, after=after or _FIRST, limit=limit))


def rooms_among(user_id: uuid.UUID, room_ids: Collection[uuid.UUID]) -> list[RoomOut]:
    """Return those of these rooms that a person is in; to be read in one snapshot."""
    return _shown(user_id, _rooms_among.all(user_id=user_id, room_ids=list(room_ids)))


def _shown(user_id: uuid.UUID, seen: Sequence[SeenRoom]) -> list[RoomOut]:
    newest = (room.newest_id for room in seen if room.newest_id)
    last = {message.room_id: message for message in messages.messages_as_seen(newest, user_id)}
    others = _others_in_direct(user_id, [room.id for room in seen if room.kind == Kind.DIRECT])
    return [_seen_by_member(room, last.get(room.id), others.get(room.id)) for room in seen]


def room_seen_by(room_id: uuid.UUID, user_id: uuid.UUID) -> RoomOut:
    """Return a room as this person sees it; to be read in one snapshot.

    Raises:
        NotFound: there is no such room, or it is not this person's to see.
    """
    mine = rooms_among(user_id, [room_id])
    if mine:
        return mine[0]
    return _seen_by_stranger(rooms.visible_room(room_id, user_id), head_of(room_id))


def open_rooms(
    user_id: uuid.UUID, text: str | None, after: uuid.UUID | None, limit: int
) -> list[RoomOut]:
    """Return public rooms that this person may join, or ask to, by a part of name or topic."""
    found = Room.objects.filter(kind=Kind.PUBLIC, deleted_at=None, archived_at=None)
    found = found.exclude(members__user_id=user_id)
    bans = Ban.objects.filter(Q(until=None) | Q(until__gt=now()), user_id=user_id)
    found = found.exclude(pk__in=bans.values("room_id"))
    if text:
        found = found.filter(Q(containing("name", text)) | Q(containing("topic", text)))
    if after is not None:
        found = found.filter(pk__gt=after)
    found = found.annotate(head=head_at("pk")).order_by("pk")
    return [_seen_by_stranger(room, room.head) for room in found[:limit]]


def sync(user_id: uuid.UUID) -> Sync:
    """Return everything at once; to be read in one snapshot, in a fixed number of queries."""
    return Sync(
        epoch=current_epoch(),
        time=instant(now()),
        me=selves_by_id([user_id])[user_id],
        rooms=rooms_of(user_id),
        notifications=inbox.newest(user_id, NOTIFICATIONS_IN_SYNC),
        blocks=blocks.blocks_shown(user_id),
        drafts=drafts_of(user_id),
        inbox=InboxHead(stream=user_id, head=head_of(user_id)),
    )


def rooms_as_members_see(events: Sequence[Recorded]) -> dict[Place, Payload]:
    """Show the rooms that were added to people; left out where they are no longer in it."""
    return _seen_in(events, lambda room: room)


def preferences_as_now(events: Sequence[Recorded]) -> dict[Place, Payload]:
    """Show what people have set for rooms; left out where they are no longer in it."""
    return _seen_in(
        events,
        lambda room: PreferencesUpdated(room_id=room.id, **asdict(cast(Any, room.preferences))),
    )


def _seen_in(
    events: Sequence[Recorded], show: Callable[[RoomOut], Payload]
) -> dict[Place, Payload]:
    rooms_by_person: dict[uuid.UUID, set[Any]] = defaultdict(set)
    for event in events:
        rooms_by_person[event.stream_id].add(event.subject_id)
    seen: dict[tuple[uuid.UUID, Any], RoomOut] = {
        (user_id, room.id): room
        for user_id, room_ids in rooms_by_person.items()
        for room in rooms_among(user_id, room_ids)
    }
    return {
        (event.stream_id, event.seq): show(seen[event.stream_id, event.subject_id])
        for event in events
        if (event.stream_id, event.subject_id) in seen
    }


_company = Rows(
    lambda room_id, *person: (room_id, Person(*person)),
    lambda: (
        Member.objects.filter(among("room_id", "room_ids"))
        .exclude(user_id=Given("user_id"))
        .order_by("user_id")
        .values_list("room_id", *(f"user__{column}" for column in PERSON_COLUMNS))
    ),
)


def _others_in_direct(
    user_id: uuid.UUID, room_ids: list[uuid.UUID]
) -> dict[uuid.UUID, list[Person]]:
    others: dict[uuid.UUID, list[Person]] = {room_id: [] for room_id in room_ids}
    for part in parts(room_ids):
        for room_id, person in _company.all(user_id=user_id, room_ids=part):
            others[room_id].append(person)
    return others


def _seen_by_member(
    room: SeenRoom, last: MessageOut | None, others: list[Person] | None
) -> RoomOut:
    return RoomOut(
        **_facts(room),
        users=others,
        last_seq=room.head,
        last_message=last,
        my_role=role_name(room.role),
        read_seq=room.read_seq,
        unread_count=room.unread,
        mention_count=room.mentions,
        preferences=Preferences(
            notification_level=cast(Any, room.notification_level),
            muted_until=instant_or_none(room.notifications_muted_until),
            favourite=room.favourite,
            hidden=bool(room.hidden),
        ),
    )


def _seen_by_stranger(room: Room, head: int) -> RoomOut:
    return RoomOut(
        **_facts(room),
        users=None,
        last_seq=head,
        last_message=None,
        my_role=None,
        read_seq=None,
        unread_count=None,
        mention_count=None,
        preferences=None,
    )


def _facts(room: Room | SeenRoom) -> dict[str, Any]:
    return asdict(room_fact(room))
