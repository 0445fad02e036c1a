"""Writes of bans: who is banned is out, and comes back neither alone nor with help."""

import uuid
from datetime import datetime

from accounts.models import User
from api.audit.actions import record
from api.clock import now
from api.codec import instant_or_none
from api.errors import NotFound
from api.invitations.invites import shut_out
from api.log.append import Numbered, append, lock, writing
from api.moderation.ending import ending
from api.rooms import permissions, queries
from api.rooms.membership import about_outsider, dismiss
from api.rooms.models import Ban, Member, Role
from api.rooms.schemas import outsider


def ban_person(
    *,
    actor_id: uuid.UUID,
    room_id: uuid.UUID,
    user_id: uuid.UUID,
    until: datetime | None = None,
    reason: str | None = None,
) -> tuple[Ban, bool]:
    """Put a person out of a room for good, or until a time; tell whether they were not banned.

    Raises:
        InvalidRequest: it would be over already.
        NotFound, PermissionDenied: as ``queries.member_in``, too low a role, or nobody of that id.
        RoomArchived: nothing changes in it.
    """
    with writing():
        head = lock(room_id)
        actor = queries.member_in(room_id, actor_id)
        member = _check_may_ban(actor, user_id)
        user = member.user if member else User.objects.filter(pk=user_id, erased_at=None).first()
        if user is None:
            raise NotFound
        permissions.check_not_archived(actor.room)
        moment = now()
        ban = Ban(
            room_id=room_id,
            user=user,
            until=ending(until, moment),
            reason=reason or None,
            actor_id=actor_id,
        )
        present = queries.bans_of(room_id, [user_id]).get(user_id)
        if present is not None and present.says(ban):
            return present, False
        if member is not None:
            event = dismiss(member, "banned", actor_id=actor_id, head=head)
        else:
            event = _tell(ban, "member.banned", actor_id)
        shut_out(room_id, user_id)
        ban.created_at = event.at
        ban.save(force_insert=present is None)
        details = {"until": instant_or_none(ban.until)}
        record(event, user_id=user_id, reason=ban.reason, details=details)
    return ban, present is None or not present.holds_at(moment)


def lift_ban(*, actor_id: uuid.UUID, room_id: uuid.UUID, user_id: uuid.UUID) -> None:
    """Let a person in again; of whom is not banned nothing is said.

    Raises:
        NotFound, PermissionDenied: as ``queries.member_in``, or too low a role.
        RoomArchived: nothing changes in it.
    """
    with writing():
        lock(room_id)
        actor = queries.member_in(room_id, actor_id)
        permissions.check_not_direct(actor.room)
        permissions.check_at_least(actor, Role.MODERATOR)
        ban = queries.bans_of(room_id, [user_id]).get(user_id)
        if ban is None:
            return
        permissions.check_not_archived(actor.room)
        event = _tell(ban, "member.unbanned", actor_id)
        ban.delete()
        record(event, user_id=user_id)


def _check_may_ban(actor: Member, user_id: uuid.UUID) -> Member | None:
    permissions.check_not_direct(actor.room)
    permissions.check_at_least(actor, Role.MODERATOR)
    member = queries.member_if_any(actor.room_id, user_id)
    if member is not None:
        permissions.check_above(actor, member.role)
    return member


def _tell(ban: Ban, event_type: str, actor_id: uuid.UUID) -> Numbered:
    entry = about_outsider(ban.room_id, ban.user, event_type, actor_id=actor_id)
    (event,) = append([entry])
    event.show(outsider(ban.user))
    return event
