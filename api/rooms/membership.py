"""The events of coming and going, the same from wherever one comes or goes."""

import uuid
from collections.abc import Sequence
from datetime import datetime
from typing import Literal

from django.db.models import F

from accounts.models import User
from api.codec import plain
from api.log.append import Ends, Entry, append
from api.log.models import Stream
from api.rooms.models import Member, Role, Room
from api.rooms.schemas import RoomRemoved, member_out

Going = Literal["left", "removed"]


def admit(
    room: Room, newcomers: Sequence[tuple[User, Role]], *, actor_id: uuid.UUID, moment: datetime
) -> None:
    """Make people members: one event in the room and one in each person's stream."""
    members = [
        Member(room=room, user=user, role=role, joined_at=moment) for user, role in newcomers
    ]
    arrivals = [arrival(member, actor_id=actor_id) for member in members]
    joined = [in_room for in_room, _ in arrivals]
    added = [in_inbox for _, in_inbox in arrivals]
    numbered = append([*joined, *added], at=moment)
    for member, event in zip(members, numbered, strict=False):
        member.read_seq = event.seq
        event.show(member_out(member, member.user))
    settle(room, members)


def arrival(member: Member, *, actor_id: uuid.UUID) -> tuple[Entry, Entry]:
    """Return what is recorded when one becomes a member: in the room, and in their stream."""
    in_room = Entry(
        member.room_id,
        "member.joined",
        actor_id,
        subject=("member", member.user_id),
        data=written(member),
        at=member.joined_at,
    )
    in_inbox = Entry(
        member.user_id,
        "room.added",
        actor_id,
        subject=("membership", member.room_id),
        at=member.joined_at,
    )
    return in_room, in_inbox


def settle(room: Room, newcomers: Sequence[Member]) -> None:
    """Keep the members who have just come, with the ``read_seq`` of their arrival."""
    Member.objects.bulk_create(newcomers)
    _count(room, len(newcomers))


def role_change(member: Member, *, actor_id: uuid.UUID) -> Entry:
    """Return what is recorded when a member has another role."""
    subject, data = ("member", member.user_id), written(member)
    return Entry(member.room_id, "member.role_changed", actor_id, subject=subject, data=data)


def dismiss(member: Member, reason: Going, *, actor_id: uuid.UUID, head: int) -> None:
    """End a membership, with ``room`` and ``user`` loaded; ``head`` of the locked room."""
    gone, _ = append(departure(member, reason, actor_id=actor_id, seq=head + 1))
    gone.show(member_out(member, member.user, gone=True))
    unsettle(member)


def departure(
    member: Member, reason: Going, *, actor_id: uuid.UUID, seq: int
) -> tuple[Entry, Entry]:
    """Return what is recorded when one ceases to be a member, in the room and in their stream.

    ``seq`` is the number that it gets in the room.
    """
    ends: Ends = {"users": [str(member.user_id)], "reason": reason}
    in_room = Entry(
        member.room_id,
        f"member.{reason}",
        actor_id,
        subject=("member", member.user_id),
        data=written(member, gone=True),
        ends=ends,
    )
    data = plain(RoomRemoved(room_id=member.room_id, seq=seq, reason=reason))
    return in_room, Entry(member.user_id, "room.removed", actor_id, data=data)


def unsettle(member: Member) -> None:
    """Keep a member no longer."""
    _count(member.room, -1)
    Member.objects.filter(room_id=member.room_id, user_id=member.user_id).delete()


def closure(room: Room, *, actor_id: uuid.UUID, seq: int) -> list[Entry]:
    """Return what is recorded when a room ends, there and in the streams of its people.

    ``seq`` is the number that it gets in the room.
    """
    ends: Ends = {"stream": True, "reason": "deleted"}
    in_room = Entry(room.id, "room.deleted", actor_id, subject=("room", room.id), ends=ends)
    data = plain(RoomRemoved(room_id=room.id, seq=seq, reason="deleted"))
    people = Member.objects.filter(room=room).values_list("user_id", flat=True)
    return [in_room, *(Entry(user_id, "room.removed", actor_id, data=data) for user_id in people)]


def close(room: Room, moment: datetime) -> None:
    """Keep a room that has ended as a place that takes nothing more."""
    Room.objects.filter(pk=room.id).update(deleted_at=moment, direct_key=None)
    Stream.objects.filter(pk=room.id).update(closed_at=moment)
    Member.objects.filter(room=room).delete()


def written(member: Member, *, gone: bool = False) -> dict[str, object]:
    """Return what an event keeps of a member; the person is shown as they are now."""
    shown: dict[str, object] = plain(member_out(member, member.user, gone=gone))
    del shown["user"]
    return shown


def _count(room: Room, change: int) -> None:
    room.member_count += change
    Room.objects.filter(pk=room.id).update(member_count=F("member_count") + change)
