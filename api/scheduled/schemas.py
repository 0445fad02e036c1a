"""What scheduled messages look like on the wire."""

import uuid
from typing import Any, Literal

from api.codec import Body, Instant, Moment, Payload, instant
from api.messages.schemas import AttachmentIds
from api.scheduled.models import ScheduledMessage
from api.uploads.schemas import Attachment, shown

State = Literal["waiting", "sent", "failed", "cancelled"]


class Schedule(Body):
    """What is to be said, and when."""

    text: str
    send_at: Moment
    metadata: dict[str, Any] | None = None
    reply_to_id: uuid.UUID | None = None
    thread_id: uuid.UUID | None = None
    attachment_ids: AttachmentIds = []


class ScheduledOut(Payload):
    """Something to be said later; ``failure`` is the code of the error that it met."""

    id: uuid.UUID
    room_id: uuid.UUID
    text: str
    metadata: dict[str, Any] | None
    reply_to_id: uuid.UUID | None
    thread_id: uuid.UUID | None
    attachments: list[Attachment]
    send_at: Instant
    created_at: Instant
    failure: str | None


class ScheduledList(Payload):
    """What one wants to say in a room, in the order of its making."""

    items: list[ScheduledOut]
    next_cursor: str | None


class ScheduledUpdated(Payload):
    """Data of ``scheduled.updated``; ``scheduled`` is null when it is not there any more.

    ``message_id`` is of the message that it has become.
    """

    id: uuid.UUID
    room_id: uuid.UUID
    state: State
    message_id: uuid.UUID | None
    scheduled: ScheduledOut | None


def scheduled_out(found: ScheduledMessage) -> ScheduledOut:
    """Show something to be said later to its sender."""
    return ScheduledOut(
        id=found.id,
        room_id=found.room_id,
        text=found.text,
        metadata=found.metadata,
        reply_to_id=found.reply_to_id,
        thread_id=found.thread_id,
        attachments=shown(found.attachments),
        send_at=instant(found.send_at),
        created_at=instant(found.created_at),
        failure=found.failure,
    )
