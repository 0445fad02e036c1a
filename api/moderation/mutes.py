"""Writes of mutes: who is muted reads on. Leaving and coming back does not end it."""

import uuid
from datetime import datetime

from api.audit.actions import record, without_event
from api.clock import now
from api.codec import instant_or_none
from api.errors import NotFound
from api.log.append import Entry, Numbered, append, lock, writing
from api.moderation.ending import ending
from api.rooms import permissions, queries
from api.rooms.membership import written
from api.rooms.models import FOREVER, Member, Mute, Role
from api.rooms.schemas import member_out


def mute_member(
    *,
    actor_id: uuid.UUID,
    room_id: uuid.UUID,
    user_id: uuid.UUID,
    until: datetime | None = None,
) -> Member:
    """Have a member write nothing, for good or until a time.

    Raises:
        InvalidRequest: it would be over already.
        NotFound, PermissionDenied: as ``queries.member_in``, too low a role, or no member.
        RoomArchived: nothing changes in it.
    """
    with writing():
        lock(room_id)
        actor = queries.member_in(room_id, actor_id)
        member = _check_may_mute(actor, user_id)
        if member is None:
            raise NotFound
        permissions.check_not_archived(actor.room)
        ends = ending(until, now())
        if member.muted_until == (ends or FOREVER):
            return member
        event = _set(member, ends or FOREVER, actor_id)
        Mute.objects.update_or_create(
            {"until": ends, "actor_id": actor_id, "created_at": event.at},
            room_id=room_id,
            user_id=user_id,
        )
        record(event, user_id=user_id, details={"until": instant_or_none(ends)})
    return member


def unmute_member(*, actor_id: uuid.UUID, room_id: uuid.UUID, user_id: uuid.UUID) -> None:
    """Let a member write again; of whom is not muted nothing is said.

    Raises:
        NotFound, PermissionDenied: as ``queries.member_in``, or too low a role.
        RoomArchived: nothing changes in it.
    """
    with writing():
        head = lock(room_id)
        actor = queries.member_in(room_id, actor_id)
        member = _check_may_mute(actor, user_id)
        mutes = Mute.objects.filter(room_id=room_id, user_id=user_id)
        if not mutes.exists():
            return
        permissions.check_not_archived(actor.room)
        mutes.delete()
        if member is not None:
            done = _set(member, None, actor_id)
        else:
            done = without_event(room_id, "member.unmuted", actor_id, head=head)
        record(done, user_id=user_id)


def _check_may_mute(actor: Member, user_id: uuid.UUID) -> Member | None:
    permissions.check_not_direct(actor.room)
    permissions.check_at_least(actor, Role.MODERATOR)
    member = queries.member_if_any(actor.room_id, user_id)
    if member is not None:
        permissions.check_above(actor, member.role)
    return member


def _set(member: Member, muted_until: datetime | None, actor_id: uuid.UUID) -> Numbered:
    (event,) = append([until_when(member, muted_until, actor_id=actor_id)])
    event.show(member_out(member, member.user))
    place = Member.objects.filter(room_id=member.room_id, user_id=member.user_id)
    place.update(muted_until=muted_until)
    return event


def until_when(
    member: Member, muted_until: datetime | None, *, actor_id: uuid.UUID | None
) -> Entry:
    """Mute a member, or no longer; return what is recorded of it."""
    member.muted_until = muted_until
    return Entry(
        member.room_id,
        "member.muted" if muted_until else "member.unmuted",
        actor_id,
        subject=("member", member.user_id),
        data=written(member),
    )
