"""Telling several people something, as a part of what else happens in a transaction.

Make the notifications with :func:`notices`, append the entries of :func:`told` with all the
rest, then :func:`keep` them with the numbers that they got.
"""

import uuid
from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any

import uuid_utils.compat as uuid_utils

from api.inbox.models import Notification
from api.inbox.schemas import notification_out
from api.log.append import Entry, Numbered


def notices(user_ids: Collection[uuid.UUID], *, at: datetime, **told: Any) -> list[Notification]:
    """Return a notification for each of these people, with these fields, not yet kept."""
    return [
        Notification(id=uuid_utils.uuid7(), user_id=user_id, created_at=at, **told)
        for user_id in sorted(user_ids)
    ]


def told(notifications: Sequence[Notification]) -> list[Entry]:
    """Return what is recorded of notifications in the streams of their people."""
    return [
        Entry(item.user_id, "notification.created", subject=("notification", item.id))
        for item in notifications
    ]


def keep(notifications: Sequence[Notification], events: Sequence[Numbered]) -> None:
    """Keep notifications with the numbers of their events."""
    for item, event in zip(notifications, events, strict=True):
        item.seq = event.seq
        event.show(notification_out(item))
    Notification.objects.bulk_create(notifications)
