"""Reads of invitations and of requests to join."""

import uuid
from datetime import datetime

from django.db.models import Exists, F, OuterRef, Q, QuerySet

from api.clock import now
from api.errors import NotFound
from api.invitations.models import Invite
from api.rooms import permissions
from api.rooms import queries as rooms
from api.rooms.models import JoinRequest, Kind, Member, Role


def unended(moment: datetime) -> QuerySet[Invite]:
    """Return the invitations that are neither used up nor over, with their people."""
    unused = Q(max_uses=None) | Q(uses__lt=F("max_uses"))
    lasting = Q(expires_at=None) | Q(expires_at__gt=moment)
    return Invite.objects.filter(unused, lasting).select_related("creator", "invited")


def living(moment: datetime) -> QuerySet[Invite]:
    """Return those of them that may be taken up.

    Each is as good as the right of who made it: who has gone, is disabled, or may not invite any
    more, lets nobody in meanwhile.
    """
    anybody = Q(role__gte=Role.MEMBER, room__kind=Kind.PUBLIC, room__join="open")
    inviting = Member.objects.filter(
        anybody | Q(role__gte=Role.MODERATOR),
        room_id=OuterRef("room_id"),
        user_id=OuterRef("creator_id"),
        user__disabled_at=None,
    )
    return unended(moment).filter(Exists(inviting))


def invites_before(
    room_id: uuid.UUID, viewer_id: uuid.UUID, cursor: uuid.UUID | None, limit: int
) -> list[Invite]:
    """Return a room's invitations, the newest first; who is no moderator sees their own.

    Raises:
        NotFound, PermissionDenied: as ``rooms.member_in``.
    """
    member = rooms.member_in(room_id, viewer_id)
    found = unended(now()).filter(room_id=room_id)
    if member.role < Role.MODERATOR:
        found = found.filter(creator_id=viewer_id)
    if cursor is not None:
        found = found.filter(pk__lt=cursor)
    return list(found.order_by("-pk")[:limit])


def invite_for(room_id: uuid.UUID, viewer_id: uuid.UUID, code: str) -> Invite:
    """Return an invitation that this member may see.

    Raises:
        NotFound, PermissionDenied: as ``rooms.member_in``, or none of theirs.
    """
    member = rooms.member_in(room_id, viewer_id)
    found = unended(now()).filter(room_id=room_id, code=code).first()
    if found is None or not may_end(member, found):
        raise NotFound
    return found


def may_end(member: Member, invite: Invite) -> bool:
    """Tell whether a member may see and revoke an invitation."""
    return member.role >= Role.MODERATOR or invite.creator_id == member.user_id


def requests_after(
    room_id: uuid.UUID, viewer_id: uuid.UUID, cursor: uuid.UUID | None, limit: int
) -> list[JoinRequest]:
    """Return who asks to be let in, the first to ask first.

    Raises:
        NotFound, PermissionDenied: as ``rooms.member_in``, or no moderator.
    """
    permissions.check_at_least(rooms.member_in(room_id, viewer_id), Role.MODERATOR)
    found = JoinRequest.objects.filter(room_id=room_id).select_related("user")
    if cursor is not None:
        found = found.filter(pk__gt=cursor)
    return list(found.order_by("pk")[:limit])
