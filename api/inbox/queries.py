"""Reads of notifications."""

import uuid
from collections.abc import Mapping, Sequence
from functools import cache

from api.codec import Payload
from api.errors import InvalidRequest
from api.inbox.models import Notification
from api.inbox.schemas import Notifications, notification_out
from api.log.reading import Recorded
from api.statements import Given, Rows, any_of, numbered

UNREAD_COUNTED = 1_000  # exact up to here, this above


def notifications_before(
    user_id: uuid.UUID, cursor: uuid.UUID | None, limit: int
) -> list[Notification]:
    """Return notifications, the newest first, that are older than the cursor's.

    Raises:
        InvalidRequest: the cursor is none of this person's.
    """
    found = Notification.objects.filter(user_id=user_id).select_related("actor")
    if cursor is not None:
        seq = found.filter(pk=cursor).values_list("seq", flat=True).first()
        if seq is None:
            raise InvalidRequest("The parameter 'cursor' is none of ours.")
        found = found.filter(seq__lt=seq)
    return list(found.order_by("-seq")[:limit])


def unread_count(user_id: uuid.UUID) -> int:
    """Count what one has not read: exact up to 1,000, and 1,000 above."""
    unread = Notification.objects.filter(user_id=user_id, read_at=None)
    return unread[:UNREAD_COUNTED].count()


@cache
def _unread_within(count: int) -> Rows[uuid.UUID]:
    within = any_of(count, room_id="room", message_seq__lte="seq")
    unread = Notification.objects.filter(within, user_id=Given("user_id"), read_at=None)
    return Rows(lambda found: found, lambda: unread.order_by("seq").values_list("pk"))


def unread_up_to(user_id: uuid.UUID, seqs: Mapping[uuid.UUID, int]) -> list[uuid.UUID]:
    """Return what one has not read of what is about messages of rooms, up to their numbers."""
    return _unread_within(len(seqs)).all(user_id=user_id, **numbered(seqs.items(), "room", "seq"))


def newest(user_id: uuid.UUID, limit: int) -> Notifications:
    """Return the newest notifications with the count of unread ones."""
    return Notifications(
        items=[notification_out(item) for item in notifications_before(user_id, None, limit)],
        unread_count=unread_count(user_id),
    )


def notifications_as_now(events: Sequence[Recorded]) -> dict[tuple[uuid.UUID, int], Payload]:
    """Show the notifications that these events are about."""
    ids = {event.subject_id for event in events}
    found = Notification.objects.select_related("actor").in_bulk(ids)
    return {
        (event.stream_id, event.seq): notification_out(found[event.subject_id]) for event in events
    }
