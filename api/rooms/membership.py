"""The events of coming and going, the same from wherever one comes or goes."""

import uuid
from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Literal

from django.db.models import F, Q

from accounts.erasure import none_is_erased
from accounts.models import User
from api.audit.actions import record
from api.blocks.queries import blockers_among
from api.clock import now
from api.codec import plain
from api.errors import NotFound, PermissionDenied
from api.log.append import Ends, Entry, Numbered, append
from api.log.models import Stream
from api.rooms import queries
from api.rooms.former import recall, remember
from api.rooms.models import Ban, Former, JoinRequest, Kind, Member, Role, Room
from api.rooms.schemas import RoomRemoved, member_out, outsider
from api.uploads import using

Going = Literal["left", "removed", "banned"]
BANNED = "Who is banned is not let in."


def let_in(room: Room, user: User, role: Role, *, actor_id: uuid.UUID) -> None:
    """Make somebody a member by the decision of somebody else, which is kept.

    Raises:
        NotFound, PermissionDenied: as ``admit``.
    """
    (joined,) = admit(room, [(user, role)], actor_id=actor_id, moment=now())
    record(joined, user_id=user.id, details={"role": role.wire})


def admit(
    room: Room, newcomers: Sequence[tuple[User, Role]], *, actor_id: uuid.UUID, moment: datetime
) -> list[Numbered]:
    """Make people members: one event in the room, which is returned, and one in each one's stream.

    Raises:
        NotFound, PermissionDenied: one of them is banned.
        NotFound: one of them has been erased meanwhile.
    """
    user_ids = [user.id for user, _ in newcomers]
    bans = queries.bans_of(room.id, user_ids)
    for ban in bans.values():
        _check_over(ban, room, actor_id, moment)
    mutes = queries.mutes_of(room.id, user_ids, moment)
    members = [
        Member(
            room=room,
            user=user,
            role=role,
            joined_at=moment,
            muted_until=mutes.get(user.id),
        )
        for user, role in newcomers
    ]
    recall(room, members, actor_id=actor_id)
    lifted = [
        about_outsider(room.id, ban.user, "member.unbanned", actor_id=None) for ban in bans.values()
    ]
    arrivals = [arrival(member, actor_id=actor_id) for member in members]
    joined = [in_room for in_room, _ in arrivals]
    added = [in_inbox for _, in_inbox in arrivals]
    numbered = append([*lifted, *joined, *added], at=moment)
    if not none_is_erased(user_ids):
        raise NotFound("They are not there any more.")
    for ban, event in zip(bans.values(), numbered, strict=False):
        event.show(outsider(ban.user))
        record(event, user_id=ban.user_id)
        ban.delete()
    for member, event in zip(members, numbered[len(lifted) :], strict=False):
        member.joined_seq = member.read_seq = event.seq
        event.show(member_out(member, member.user))
    settle(room, members)
    return numbered[len(lifted) : len(lifted) + len(members)]


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
    """Keep the members who have just come, with the number of their arrival."""
    Member.objects.bulk_create(newcomers)
    people = [member.user_id for member in newcomers]
    JoinRequest.objects.filter(room=room, user__in=people).delete()
    _count(room, len(newcomers))


def role_change(member: Member, *, actor_id: uuid.UUID) -> Entry:
    """Return what is recorded when a member has another role."""
    subject, data = ("member", member.user_id), written(member)
    return Entry(member.room_id, "member.role_changed", actor_id, subject=subject, data=data)


def about_outsider(
    room_id: uuid.UUID, user: User, event_type: str, *, actor_id: uuid.UUID | None
) -> Entry:
    """Return what is recorded of somebody who is not in the room."""
    data = plain(outsider(user))
    del data["user"]
    return Entry(room_id, event_type, actor_id, subject=("member", user.id), data=data)


def check_welcome(user_ids: Collection[uuid.UUID], actor_id: uuid.UUID) -> None:
    """Refuse to have put people into a room who do not want to hear from who did.

    To be asked when they have been admitted: from there on nobody blocks anybody meanwhile.

    Raises:
        PermissionDenied: one of them has blocked the actor.
    """
    if blockers_among(user_ids, actor_id):
        raise PermissionDenied  # who it was is not told


def check_not_banned(room_id: uuid.UUID, user_id: uuid.UUID, moment: datetime) -> None:
    """Refuse to begin what would not let somebody in.

    Raises:
        PermissionDenied: they are banned.
    """
    ban = queries.bans_of(room_id, [user_id]).get(user_id)
    if ban is not None and ban.holds_at(moment):
        raise PermissionDenied(BANNED)


def _check_over(ban: Ban, room: Room, actor_id: uuid.UUID, moment: datetime) -> None:
    if not ban.holds_at(moment):
        return
    if ban.user_id == actor_id and room.kind != Kind.PUBLIC:
        raise NotFound
    raise PermissionDenied(BANNED)


def dismiss(member: Member, reason: Going, *, actor_id: uuid.UUID, head: int) -> Numbered:
    """End a membership, with ``room`` and ``user`` loaded; ``head`` of the locked room."""
    gone, _ = append(departure(member, reason, actor_id=actor_id, seq=head + 1))
    gone.show(member_out(member, member.user, gone=True))
    unsettle(member)
    remember(member)
    return gone


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
    Former.objects.filter(room=room).delete()
    using.release(Q(room_id=room.id), moment)


def written(member: Member, *, gone: bool = False) -> dict[str, object]:
    """Return what an event keeps of a member; the person is shown as they are now."""
    shown: dict[str, object] = plain(member_out(member, member.user, gone=gone))
    del shown["user"]
    return shown


def _count(room: Room, change: int) -> None:
    room.member_count += change
    Room.objects.filter(pk=room.id).update(member_count=F("member_count") + change)
