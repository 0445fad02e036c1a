"""Which of these streams may this person read, and at which heads: one statement."""

import sys
import uuid
from collections.abc import Collection

from accounts.queries import inbox_head_for
from api.clock import now
from api.codec import Payload
from api.log.models import Stream
from api.rooms import permissions
from api.rooms.models import Member
from api.rooms.queries import member_in, public_among
from api.rooms.schemas import RoleName, role_name
from api.statements import Given, Rows, among, parts
from api.sync.queries import memberships

_heads = Rows(
    lambda stream, head: (stream, head),
    lambda: Stream.objects.filter(among("pk", "streams")).values_list("pk", "last_seq"),
)


_people = Rows(
    lambda room, user: (room, user),
    lambda: Member.objects.filter(among("room_id", "rooms")).values_list("room_id", "user_id"),
)
_among = Rows(
    lambda user: user,
    lambda: Member.objects.filter(among("user_id", "users"), room_id=Given("room_id")).values_list(
        "user_id"
    ),
)


class Grant(Payload, omit_defaults=True):
    """A stream that may be read, at the ``head`` that the permission was read with.

    The counts are a room's; a person's own stream has none.
    """

    head: int
    read_seq: int | None = None
    unread_count: int | None = None
    mention_count: int | None = None
    my_role: RoleName | None = None


def readable(
    user_id: uuid.UUID, session_id: uuid.UUID, streams: Collection[uuid.UUID]
) -> dict[uuid.UUID, Grant]:
    """Return what of these streams this person may read now, on this session.

    Raises:
        SessionRevoked: the session has ended; its own stream would have said so.
    """
    rooms = [stream for stream in streams if stream != user_id]
    grants: dict[uuid.UUID, Grant] = {}
    if len(rooms) < len(streams):
        grants[user_id] = Grant(head=inbox_head_for(session_id))
    for role, counts in memberships(user_id, rooms) if rooms else ():
        grants[counts.room_id] = Grant(
            head=counts.head,
            read_seq=counts.read_seq,
            unread_count=counts.unread_count,
            mention_count=counts.mention_count,
            my_role=role_name(role),
        )
    return grants


def people_in(rooms: Collection[uuid.UUID]) -> dict[uuid.UUID, set[str]]:
    """Return the ids of the members of each of these rooms, each one object everywhere."""
    found: dict[uuid.UUID, set[str]] = {}
    for part in parts(rooms):
        for room_id, user_id in _people.all(rooms=part):
            found.setdefault(room_id, set()).add(sys.intern(str(user_id)))
    return found


def people_for_member(
    room_id: uuid.UUID, user_id: uuid.UUID, *, at_most: int
) -> set[uuid.UUID] | None:
    """Return the ids of a room's members to one of them; None where there are more.

    Raises:
        NotFound, PermissionDenied: as ``rooms.member_in``.
    """
    if member_in(room_id, user_id).room.member_count > at_most:
        return None
    return {found for _, found in _people.all(rooms=[room_id])}


def count_among(room_id: uuid.UUID, people: Collection[uuid.UUID]) -> int:
    """Count which of these people are members of a room."""
    return sum(len(_among.all(room_id=room_id, users=part)) for part in parts(people))


def check_may_write(room_id: uuid.UUID, user_id: uuid.UUID) -> None:
    """Refuse somebody who may not write in a room now.

    Raises:
        NotFound, PermissionDenied: as ``rooms.member_in``.
        RoomArchived, PermissionDenied, Muted: as ``permissions.check_may_write``.
    """
    member = member_in(room_id, user_id)
    permissions.check_may_write(member.room, member, now())


def refusals(streams: Collection[uuid.UUID]) -> dict[uuid.UUID, str]:
    """Return the error code for each of these streams that may not be read."""
    public = public_among(streams)
    return {stream: "permission_denied" if stream in public else "not_found" for stream in streams}


def heads(streams: Collection[uuid.UUID]) -> dict[uuid.UUID, int]:
    """Return the head of each of these streams that has one."""
    return dict(pair for part in parts(streams) for pair in _heads.all(streams=part))
