"""Notices: notifications that come of a message, recorded in the transaction that makes it.

They keep no word of the message: it may change, and old text is never shown again. Who wrote it
is kept by id, so that they are shown by the name they have now.
"""

import uuid
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import NamedTuple

from accounts.schemas import Person
from api.changes import Insertion
from api.codec import instant
from api.inbox.models import Notification
from api.inbox.schemas import NotificationOut, notice_text
from api.log.append import Entry, Numbered

_insertion = Insertion(
    Notification,
    *("id", "user_id", "seq", "kind", "text", "actor_id", "room_id", "message_id", "message_seq"),
    "created_at",
)


class Notice(NamedTuple):
    """One person is told of one message; ``kind`` is one of ``schemas.NOTICES``."""

    id: uuid.UUID
    user_id: uuid.UUID
    kind: str
    actor: Person
    room_id: uuid.UUID
    message_id: uuid.UUID
    message_seq: int

    def entry(self) -> Entry:
        """Return what is recorded in the person's stream."""
        subject = ("notification", self.id)
        return Entry(self.user_id, "notification.created", self.actor.id, subject=subject)


def keep(notices: Iterable[Notice], events: Sequence[Numbered], moment: datetime) -> None:
    """Keep the notices whose entries have been recorded as these events."""
    if not events:
        return
    numbers = {event.entry.subject: event for event in events}
    told = [(notice, numbers.get(("notification", notice.id))) for notice in notices]
    rows = []
    for notice, event in told:
        if event is not None:
            event.show(_shown(notice, event.seq, moment))
            rows.append(
                (
                    *(notice.id, notice.user_id, event.seq, notice.kind, "", notice.actor.id),
                    *(notice.room_id, notice.message_id, notice.message_seq, moment),
                )
            )
    _insertion.run(rows)


def _shown(notice: Notice, seq: int, moment: datetime) -> NotificationOut:
    return NotificationOut(
        id=notice.id,
        seq=seq,
        kind=notice.kind,
        text=notice_text(notice.kind, notice.actor.display_name),
        data=None,
        room_id=notice.room_id,
        message_id=notice.message_id,
        created_at=instant(moment),
        read_at=None,
    )
