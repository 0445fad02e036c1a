"""A person's view of rooms: how far they have read, and what is left.

Everything that is counted comes with the number it was counted at, out of one statement.
"""

import uuid
from collections import defaultdict
from collections.abc import Collection, Sequence
from typing import Any, cast

from django.db.models import BigIntegerField, OuterRef, Q, QuerySet, Subquery
from django.db.models.expressions import RawSQL

from accounts.models import User
from accounts.schemas import Person, person, profile
from api.clock import now
from api.codec import Payload, instant, instant_or_none
from api.inbox import queries as inbox
from api.log.epoch import current_epoch
from api.log.heads import head_at, head_of
from api.log.models import Event
from api.messages import queries as messages
from api.messages.models import Message
from api.messages.schemas import message_out
from api.rooms import queries as rooms
from api.rooms.models import Kind, Member, Room
from api.rooms.queries import Place
from api.rooms.schemas import role_name, room_fact
from api.sync.schemas import Counts, InboxHead, Preferences, RoomOut, Sync

NOTIFICATIONS_IN_SYNC = 50

# Exact up to 1,000, and 1,000 above: contract §2, "Counts".
_UNREAD = """(SELECT count(*) FROM (
    SELECT 1 FROM api_message m
    WHERE m.room_id = api_member.room_id AND m.seq > api_member.read_seq
      AND m.sender_id <> api_member.user_id
      AND m.deleted_at IS NULL AND m.thread_id IS NULL
    LIMIT 1000) AS unread)"""


def memberships(
    user_id: uuid.UUID, room_ids: Collection[uuid.UUID] | None = None
) -> QuerySet[Member]:
    """Return a person's memberships with ``head`` and ``unread``, in one statement."""
    mine = Member.objects.filter(user_id=user_id).annotate(
        head=head_at("room_id"),
        unread=RawSQL(_UNREAD, [], output_field=BigIntegerField()),  # noqa: S611  no input
    )
    return mine if room_ids is None else mine.filter(room_id__in=room_ids)


def counts_of(member: Member) -> Counts:
    """Show the counts of a membership out of ``memberships``."""
    annotated = cast(Any, member)
    return Counts(
        room_id=member.room_id,
        read_seq=member.read_seq,
        unread_count=annotated.unread,
        mention_count=0,
        head=annotated.head,
    )


def rooms_of(
    user_id: uuid.UUID,
    *,
    room_ids: Collection[uuid.UUID] | None = None,
    after: uuid.UUID | None = None,
    limit: int | None = None,
) -> list[RoomOut]:
    """Return a person's rooms as they see them; to be read in one snapshot."""
    newest = Message.objects.filter(room_id=OuterRef("room_id"), thread_id=None)
    found = (
        memberships(user_id, room_ids)
        .select_related("room")
        .annotate(newest_id=Subquery(newest.order_by("-seq").values("pk")[:1]))
        .order_by("room_id")
    )
    if after is not None:
        found = found.filter(room_id__gt=after)
    members = list(found[:limit])
    last = messages.newest_of(member.newest_id for member in members if member.newest_id)
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
    mine = rooms_of(user_id, room_ids=[room_id])
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


def sync(user: User) -> Sync:
    """Return everything at once; to be read in one snapshot, in a fixed number of queries."""
    return Sync(
        epoch=current_epoch(),
        time=instant(now()),
        me=profile(User.objects.get(pk=user.id)),
        rooms=rooms_of(user.id),
        notifications=inbox.newest(user.id, NOTIFICATIONS_IN_SYNC),
        blocks=[],
        inbox=InboxHead(stream=user.id, head=head_of(user.id)),
    )


def rooms_as_members_see(events: Sequence[Event]) -> dict[Place, Payload]:
    """Show the rooms that were added to people; left out where they are no longer in it."""
    rooms_by_person: dict[uuid.UUID, set[Any]] = defaultdict(set)
    for event in events:
        rooms_by_person[event.stream_id].add(event.subject_id)
    seen: dict[tuple[uuid.UUID, Any], RoomOut] = {
        (user_id, room.id): room
        for user_id, room_ids in rooms_by_person.items()
        for room in rooms_of(user_id, room_ids=room_ids)
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


def _seen_by_member(member: Member, last: Message | None, others: list[Person] | None) -> RoomOut:
    counts = counts_of(member)
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
