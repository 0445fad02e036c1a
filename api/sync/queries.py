"""A person's view of rooms: how far they have read, and what is left.

Everything that is counted comes with the number it was counted at, out of one statement.
"""

import uuid
from collections import defaultdict
from collections.abc import Collection, Sequence
from typing import Any, NamedTuple, cast

from django.db.models import BigIntegerField, OuterRef, Q, Subquery
from django.db.models.expressions import RawSQL

from accounts.queries import profiles_by_id
from accounts.schemas import Person, person
from api.clock import now
from api.codec import Payload, instant, instant_or_none
from api.inbox import queries as inbox
from api.log.epoch import current_epoch
from api.log.heads import head_at, head_of
from api.log.reading import Recorded
from api.messages import queries as messages
from api.messages.models import Message
from api.messages.schemas import MessageFact, message_out
from api.rooms import queries as rooms
from api.rooms.models import Kind, Member, Room
from api.rooms.queries import Place
from api.rooms.schemas import role_name, room_fact
from api.statements import Given, Instances, Rows, among
from api.sync.schemas import Counts, InboxHead, Preferences, RoomOut, Sync

NOTIFICATIONS_IN_SYNC = 50

# Exact up to 1,000, and 1,000 above: contract §2, "Counts".
_UNREAD = """(SELECT count(*) FROM (
    SELECT 1 FROM api_message m
    WHERE m.room_id = api_member.room_id AND m.seq > api_member.read_seq
      AND m.sender_id <> api_member.user_id
      AND m.deleted_at IS NULL AND m.thread_id IS NULL
    LIMIT 1000) AS unread)"""


class Membership(NamedTuple):
    """A person's place in a room, with the counts that are true at ``head``."""

    role: int
    counts: Counts


def _counted() -> Any:
    return Member.objects.filter(user_id=Given("user_id")).annotate(
        head=head_at("room_id"),
        unread=RawSQL(_UNREAD, [], output_field=BigIntegerField()),  # noqa: S611  no input
    )


def _seen() -> Any:
    newest = Message.objects.filter(room_id=OuterRef("room_id"), thread_id=None)
    newest_id = Subquery(newest.order_by("-seq").values("pk")[:1])
    return _counted().select_related("room").annotate(newest_id=newest_id).order_by("room_id")


_memberships = Rows(
    lambda role, *counts: Membership(role, _counts(*counts)),
    lambda: (
        _counted()
        .filter(among("room_id", "room_ids"))
        .values_list("role", "room_id", "read_seq", "unread", "head")
    ),
)
_rooms_after = Instances[Member](lambda: _seen().filter(room_id__gt=Given("after")))
_rooms_among = Instances[Member](lambda: _seen().filter(among("room_id", "room_ids")))
_FIRST = uuid.UUID(int=0)


def memberships(user_id: uuid.UUID, room_ids: Collection[uuid.UUID]) -> list[Membership]:
    """Return those of these memberships that a person has, in one statement."""
    return _memberships.all(user_id=user_id, room_ids=list(room_ids))


def _counts(room_id: uuid.UUID, read_seq: int, unread: int, head: int) -> Counts:
    return Counts(
        room_id=room_id,
        read_seq=read_seq,
        unread_count=unread,
        mention_count=0,
        head=head,
    )


def rooms_of(
    user_id: uuid.UUID, *, after: uuid.UUID | None = None, limit: int | None = None
) -> list[RoomOut]:
    """Return a person's rooms as they see them; to be read in one snapshot."""
    return _shown(_rooms_after.all(user_id=user_id, after=after or _FIRST, limit=limit))


def rooms_among(user_id: uuid.UUID, room_ids: Collection[uuid.UUID]) -> list[RoomOut]:
    """Return those of these rooms that a person is in; to be read in one snapshot."""
    return _shown(_rooms_among.all(user_id=user_id, room_ids=list(room_ids)))


def _shown(members: list[Any]) -> list[RoomOut]:
    last = messages.messages_by_room(member.newest_id for member in members if member.newest_id)
    others = _others_in_direct(members)
    return [
        _seen_by_member(member, last.get(member.room_id), others.get(member.room_id))
        for member in members
    ]


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
    """Return public rooms that this person may join, by a part of name or topic."""
    found = Room.objects.filter(
        kind=Kind.PUBLIC, join="open", deleted_at=None, archived_at=None
    ).exclude(members__user_id=user_id)
    if text:
        found = found.filter(Q(name__icontains=text) | Q(topic__icontains=text))
    if after is not None:
        found = found.filter(pk__gt=after)
    found = found.annotate(head=head_at("pk")).order_by("pk")
    return [_seen_by_stranger(room, room.head) for room in found[:limit]]


def sync(user_id: uuid.UUID) -> Sync:
    """Return everything at once; to be read in one snapshot, in a fixed number of queries."""
    return Sync(
        epoch=current_epoch(),
        time=instant(now()),
        me=profiles_by_id([user_id])[user_id],
        rooms=rooms_of(user_id),
        notifications=inbox.newest(user_id, NOTIFICATIONS_IN_SYNC),
        blocks=[],
        inbox=InboxHead(stream=user_id, head=head_of(user_id)),
    )


def rooms_as_members_see(events: Sequence[Recorded]) -> dict[Place, Payload]:
    """Show the rooms that were added to people; left out where they are no longer in it."""
    rooms_by_person: dict[uuid.UUID, set[Any]] = defaultdict(set)
    for event in events:
        rooms_by_person[event.stream_id].add(event.subject_id)
    seen: dict[tuple[uuid.UUID, Any], RoomOut] = {
        (user_id, room.id): room
        for user_id, room_ids in rooms_by_person.items()
        for room in rooms_among(user_id, room_ids)
    }
    return {
        (event.stream_id, event.seq): seen[event.stream_id, event.subject_id]
        for event in events
        if (event.stream_id, event.subject_id) in seen
    }


def _others_in_direct(members: Sequence[Member]) -> dict[uuid.UUID, list[Person]]:
    direct = [member.room_id for member in members if member.room.kind == Kind.DIRECT]
    if not direct:
        return {}
    others: dict[uuid.UUID, list[Person]] = {room_id: [] for room_id in direct}
    mine = members[0].user_id
    found = Member.objects.filter(room_id__in=direct).exclude(user_id=mine)
    for member in found.select_related("user").order_by("user_id"):
        others[member.room_id].append(person(member.user))
    return others


def _seen_by_member(member: Any, last: MessageFact | None, others: list[Person] | None) -> RoomOut:
    counts = _counts(member.room_id, member.read_seq, member.unread, member.head)
    hidden = member.hidden_seq is not None and (last is None or last.seq <= member.hidden_seq)
    return RoomOut(
        **_facts(member.room),
        users=others,
        last_seq=counts.head,
        last_message=message_out(last) if last else None,
        my_role=role_name(member.role),
        read_seq=counts.read_seq,
        unread_count=counts.unread_count,
        mention_count=counts.mention_count,
        preferences=Preferences(
            notification_level=cast(Any, member.notification_level),
            muted_until=instant_or_none(member.notifications_muted_until),
            favourite=member.favourite,
            hidden=hidden,
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


def _facts(room: Room) -> dict[str, Any]:
    fact = room_fact(room)
    return {name: getattr(fact, name) for name in fact.__struct_fields__}
