"""Reads of scheduled messages."""

import uuid

from django.db.models import QuerySet

from api.errors import NotFound
from api.rooms import queries as rooms
from api.rooms.models import Member
from api.scheduled.models import ScheduledMessage


def seen_by(sender_id: uuid.UUID) -> QuerySet[ScheduledMessage]:
    """Return what a person wants to say in rooms that they are in."""
    mine = Member.objects.filter(user_id=sender_id).values("room_id")
    return ScheduledMessage.objects.filter(sender_id=sender_id, room_id__in=mine)


def scheduled_after(
    room_id: uuid.UUID, sender_id: uuid.UUID, cursor: uuid.UUID | None, limit: int
) -> list[ScheduledMessage]:
    """Return what a member wants to say in a room, in the order of its making.

    Raises:
        NotFound, PermissionDenied: as ``rooms.member_in``.
    """
    rooms.member_in(room_id, sender_id)
    found = ScheduledMessage.objects.filter(room_id=room_id, sender_id=sender_id)
    if cursor is not None:
        found = found.filter(pk__gt=cursor)
    return list(found.order_by("pk")[:limit])


def scheduled(
    room_id: uuid.UUID, sender_id: uuid.UUID, scheduled_id: uuid.UUID
) -> ScheduledMessage:
    """Return something that a member wants to say.

    Raises:
        NotFound, PermissionDenied: as ``rooms.member_in``, or no such thing of theirs.
    """
    rooms.member_in(room_id, sender_id)
    mine = ScheduledMessage.objects.filter(room_id=room_id, sender_id=sender_id, pk=scheduled_id)
    found = mine.first()
    if found is None:
        raise NotFound
    return found
