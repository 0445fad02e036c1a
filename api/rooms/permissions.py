"""Who may do what in a room. Pure: the facts come in, a refusal comes out."""

import math
from datetime import datetime, timedelta

from api.errors import Muted, PermissionDenied, RateLimited, RoomArchived, SlowMode
from api.limits import Rate
from api.rooms.models import Kind, Member, Role, Room


def check_at_least(member: Member, role: Role) -> None:
    """Refuse a member below ``role``.

    Raises:
        PermissionDenied: the member's role is lower.
    """
    if member.role < role:
        raise PermissionDenied(f"This takes the role {role.wire}.")


def check_above(actor: Member, other_role: int) -> None:
    """Refuse to act on an equal or higher role.

    Raises:
        PermissionDenied: the other's role is not below the actor's.
    """
    if other_role >= actor.role:
        raise PermissionDenied("Nobody acts on an equal or higher role.")


def check_may_give(actor: Member, role: Role) -> None:
    """Refuse to give a role; owners alone make owners.

    Raises:
        PermissionDenied: the actor cannot give this role.
    """
    if role >= actor.role and actor.role != Role.OWNER:
        raise PermissionDenied("Nobody gives a role that is not below their own.")


def check_not_archived(room: Room) -> None:
    """Refuse to change an archived room.

    Raises:
        RoomArchived: it can be read only.
    """
    if room.archived_at is not None:
        raise RoomArchived


def check_not_direct(room: Room) -> None:
    """Refuse to change who is in a direct room, or what they may do there.

    Raises:
        PermissionDenied: it is one.
    """
    if room.kind == Kind.DIRECT:
        raise PermissionDenied("A direct room has a fixed set of people.")


def check_may_write(room: Room, member: Member, moment: datetime) -> None:
    """Refuse a member who may not write now.

    Raises:
        RoomArchived, PermissionDenied, Muted: for good, or until something changes.
    """
    check_not_archived(room)
    check_at_least(member, Role.MEMBER)
    if room.frozen and member.role < Role.MODERATOR:
        raise PermissionDenied("The room is frozen: only moderators write.")
    if member.muted_until is not None and member.muted_until > moment:
        raise Muted
    if member.unwanted:
        raise PermissionDenied  # by whom is not told


def check_may_send(room: Room, member: Member, moment: datetime) -> None:
    """Refuse a member who may not send now.

    Raises:
        RoomArchived, PermissionDenied, Muted: as ``check_may_write``.
        SlowMode: they sent too short a time ago.
    """
    check_may_write(room, member, moment)
    if not room.slow_mode_seconds or member.role >= Role.MODERATOR or not member.last_sent_at:
        return
    waited = (moment - member.last_sent_at).total_seconds()
    if waited < room.slow_mode_seconds:
        raise SlowMode(retry_after=math.ceil(room.slow_mode_seconds - waited))


def slot_after_sending(member: Member, moment: datetime, rate: Rate) -> datetime:
    """Return the slot of a member who sends now; the rate spares no role.

    Raises:
        RateLimited: they have sent too much.
    """
    slot = member.send_slot or moment
    verdict = rate.judge((slot - moment).total_seconds(), 0.0)
    if verdict.wait > 0.0:
        raise RateLimited(retry_after=math.ceil(verdict.wait))
    return moment + timedelta(seconds=verdict.full_in)
