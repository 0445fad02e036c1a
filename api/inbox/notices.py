"""Telling several people something, in a transaction that records nothing else."""

import uuid
from collections.abc import Iterable
from datetime import datetime
from typing import Any

import uuid_utils.compat as uuid_utils

from api.inbox.models import Notification
from api.inbox.schemas import notification_out
from api.log.append import Entry, append


def tell(user_ids: Iterable[uuid.UUID], *, at: datetime, **told: Any) -> list[Notification]:
    """Tell each of these people this, with these fields of a notification.

    It is the one ``append`` of the caller's transaction; there is none for nobody.
    """
    notifications = [
        Notification(id=uuid_utils.uuid7(), user_id=user_id, created_at=at, **told)
        for user_id in sorted(user_ids)
    ]
    if not notifications:
        return []
    entries = [
        Entry(
            item.user_id,
            "notification.created",
            item.actor_id,
            subject=("notification", item.id),
        )
        for item in notifications
    ]
    for item, event in zip(notifications, append(entries, at=at), strict=True):
        item.seq = event.seq
        event.show(notification_out(item))
    return Notification.objects.bulk_create(notifications)
