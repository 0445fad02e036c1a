"""What notifications look like on the wire."""

import uuid
from typing import Annotated, Any

import msgspec

from api.codec import Body, Instant, Payload, Seq, instant, instant_or_none
from api.inbox.models import Notification

NOTICES = {  # kinds of those that come of a message, the strongest first, and what they say
    "mention": "{} mentioned you",
    "reply": "{} replied to you",
    "direct_message": "{} sent you a message",
    "room_mention": "{} mentioned the room",
}
ERASED = "Somebody"
KIND_CHARACTERS_MAX = 40
TEXT_CHARACTERS_MAX = 2_000


class ReadNotifications(Body):
    """Either some, or all up to a number of one's stream."""

    ids: Annotated[list[uuid.UUID], msgspec.Meta(min_length=1, max_length=100)] | None = None
    up_to: Seq | None = None


class CreateNotification(Body):
    """What to tell a person; ``data`` is the application's own, at most 4 KiB."""

    kind: Annotated[str, msgspec.Meta(min_length=1, max_length=KIND_CHARACTERS_MAX)]
    text: Annotated[str, msgspec.Meta(min_length=1, max_length=TEXT_CHARACTERS_MAX)]
    data: dict[str, Any] | None = None


class NotificationOut(Payload):
    """Something one person is told; ``seq`` is its number in that person's stream."""

    id: uuid.UUID
    seq: int
    kind: str
    text: str
    data: dict[str, Any] | None
    room_id: uuid.UUID | None
    message_id: uuid.UUID | None
    created_at: Instant
    read_at: Instant | None


class NotificationList(Payload):
    """Notifications, the newest first."""

    items: list[NotificationOut]
    next_cursor: str | None
    unread_count: int


class Notifications(Payload):
    """The newest notifications, within ``sync``."""

    items: list[NotificationOut]
    unread_count: int


class NotificationsRead(Payload):
    """Data of ``notification.read``, and the answer to reading."""

    ids: list[uuid.UUID]
    unread_count: int


def notification_out(notification: Notification) -> NotificationOut:
    """Show a notification to its person."""
    return NotificationOut(
        id=notification.id,
        seq=notification.seq,
        kind=notification.kind,
        text=notification.text or _text_of_notice(notification),
        data=notification.data,
        room_id=notification.room_id,
        message_id=notification.message_id,
        created_at=instant(notification.created_at),
        read_at=instant_or_none(notification.read_at),
    )


def notice_text(kind: str, name: str | None) -> str:
    """Say what a notice says: who did it, by the name they have now; none of the message."""
    return NOTICES[kind].format(name or ERASED)


def _text_of_notice(notification: Notification) -> str:
    actor = notification.actor
    return notice_text(notification.kind, actor.display_name if actor else None)
