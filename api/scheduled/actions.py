"""Writes of scheduled messages: kept, cancelled, and said when their time has come.

A message is sent with the id of what was scheduled as its ``client_msg_id``: whoever takes it up
again, after a crash or at the same moment, says it no second time.
"""

import uuid
from datetime import datetime, timedelta

from api.clock import now
from api.codec import moment_of, plain
from api.errors import ChatError, Conflict, InvalidRequest, LimitReached
from api.log.append import Entry, append, lock, writing
from api.messages.actions import send_message
from api.messages.content import check_content
from api.messages.schemas import Content
from api.rooms import permissions
from api.rooms import queries as rooms
from api.scheduled import queries
from api.scheduled.models import ScheduledMessage
from api.scheduled.schemas import Schedule, ScheduledUpdated, State, scheduled_out

WAITING_MAX = 100  # of one person
AHEAD_MAX = timedelta(days=366)
SENT_AT_ONCE = 100  # in one round of the upkeep


def schedule(*, sender_id: uuid.UUID, room_id: uuid.UUID, content: Schedule) -> ScheduledMessage:
    """Keep something to be said later.

    Raises:
        InvalidRequest: blank or too long, too much metadata, or a time that is past or too far.
        NotFound, PermissionDenied, RoomArchived, Muted: as one who would say it now.
        LimitReached: too much waits.
    """
    check_content(_said(content))
    moment, send_at = now(), moment_of(content.send_at, "/send_at")
    if not moment < send_at <= moment + AHEAD_MAX:
        raise InvalidRequest.at("/send_at", f"Within the next {AHEAD_MAX.days} days.")
    with writing():
        lock(sender_id, begin=True)
        member = rooms.member_in(room_id, sender_id)
        permissions.check_may_write(member.room, member, moment)
        if ScheduledMessage.objects.filter(sender_id=sender_id).count() >= WAITING_MAX:
            raise LimitReached(f"More than {WAITING_MAX} scheduled messages.")
        found = ScheduledMessage(
            sender_id=sender_id,
            room_id=room_id,
            text=content.text,
            metadata=content.metadata,
            reply_to_id=content.reply_to_id,
            thread_id=content.thread_id,
            send_at=send_at,
            created_at=moment,
        )
        append([_updated(found, "waiting")], at=moment)
        found.save(force_insert=True)
    return found


def cancel(*, sender_id: uuid.UUID, room_id: uuid.UUID, scheduled_id: uuid.UUID) -> None:
    """Say something never.

    Raises:
        NotFound, PermissionDenied: as ``queries.scheduled``.
        Conflict: it is being said.
    """
    with writing():
        lock(sender_id)
        found = queries.scheduled(room_id, sender_id, scheduled_id)
        if found.begun:
            raise Conflict("It is being said.")
        append([_updated(found, "cancelled")])
        found.delete()


def send_due(moment: datetime) -> None:
    """Say what is due; run by the upkeep."""
    due = ScheduledMessage.objects.filter(send_at__lte=moment, failure=None)
    for found in due.order_by("send_at")[:SENT_AT_ONCE]:
        if not _begin(found, begun=True):
            continue
        try:
            _send(found)
        except ChatError as error:
            if error.retryable:
                _begin(found, begun=False)
            else:
                _settle(found, "failed", failure=error.code)


def _begin(found: ScheduledMessage, *, begun: bool) -> bool:
    """Note that it is being said, or not yet; tell whether it is still there."""
    with writing():
        lock(found.sender_id)
        return bool(ScheduledMessage.objects.filter(pk=found.pk).update(begun=begun))


def _send(found: ScheduledMessage) -> None:
    content = _said(found, client_msg_id=f"scheduled-{found.id}")
    sent = send_message(sender_id=found.sender_id, room_id=found.room_id, content=content)
    _settle(found, "sent", message_id=sent.message.id)


def _said(later: Schedule | ScheduledMessage, client_msg_id: str | None = None) -> Content:
    return Content(
        text=later.text,
        metadata=later.metadata,
        client_msg_id=client_msg_id,
        reply_to_id=later.reply_to_id,
        thread_id=later.thread_id,
    )


def _settle(
    found: ScheduledMessage,
    state: State,
    *,
    message_id: uuid.UUID | None = None,
    failure: str | None = None,
) -> None:
    """Note what has come of it, once: somebody else may have, or it was cancelled meanwhile."""
    with writing():
        lock(found.sender_id)
        present = ScheduledMessage.objects.filter(pk=found.pk, failure=None).first()
        if present is None:
            return
        present.failure, present.begun = failure, False
        append([_updated(present, state, message_id)])
        if failure is None:
            present.delete()
        else:
            present.save(update_fields=["failure", "begun"])


def _updated(found: ScheduledMessage, state: State, message_id: uuid.UUID | None = None) -> Entry:
    data = ScheduledUpdated(
        id=found.id,
        room_id=found.room_id,
        state=state,
        message_id=message_id,
        scheduled=scheduled_out(found) if state in ("waiting", "failed") else None,
    )
    subject = ("scheduled", found.id)
    return Entry(
        found.sender_id, "scheduled.updated", found.sender_id, subject=subject, data=plain(data)
    )
