"""Reads of scheduled messages."""

import uuid
from collections.abc import Sequence

from django.db.models import QuerySet

from api.codec import Payload
from api.errors import NotFound
from api.log.reading import Recorded
from api.rooms import queries as rooms
from api.rooms.models import Member
from api.rooms.queries import Place
from api.scheduled.models import ScheduledMessage
from api.scheduled.schemas import ScheduledUpdated, scheduled_out

OVER = ("sent", "cancelled")


def seen_by(sender_id: uuid.UUID) -> QuerySet[ScheduledMessage]:
    """Return what a person wants to say in rooms that they are in."""
    mine = Member.objects.filter(user_id=sender_id).values("room_id")
    return ScheduledMessage.objects.filter(sender_id=sender_id, room_id__in=mine)


def scheduled_as_now(events: Sequence[Recorded]) -> dict[Place, Payload]:
    """Show what has become of scheduled messages; a later event says it of those that are gone."""
    ids = {event.subject_id for event in events}
    there = {found.id: found for found in ScheduledMessage.objects.filter(pk__in=ids)}
    shown: dict[Place, Payload] = {}
    for event in events:
        written, found = event.data, there.get(event.subject_id)
        if written["state"] in OVER or (found is None and written["state"] == "failed"):
            shown[event.stream_id, event.seq] = written
        elif found is not None:
            shown[event.stream_id, event.seq] = ScheduledUpdated(
                id=found.id,
                room_id=found.room_id,
                state="failed" if found.failure else "waiting",
                message_id=None,
                scheduled=scheduled_out(found),
            )
    return shown


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
