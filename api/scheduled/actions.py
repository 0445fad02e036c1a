"""Writes of scheduled messages: kept, cancelled, and said when their time has come.

A message is sent with the id of what was scheduled as its ``client_msg_id``: whoever takes it up
again, after a crash or at the same moment, says it no second time. Its files are kept for it from
the beginning, and are the message's when it is said.
"""

import logging
import uuid
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Literal

from django.db.models import QuerySet
from msgspec.structs import replace

from accounts.models import User
from api.clock import now
from api.codec import moment_of, plain
from api.errors import ChatError, Conflict, InvalidRequest, LimitReached, PermissionDenied
from api.log.append import Entry, append, lock, writing
from api.messages.actions import send_message
from api.messages.answering import check_answers, named_by
from api.messages.content import check_content
from api.messages.schemas import Content
from api.rooms import permissions
from api.rooms import queries as rooms
from api.scheduled import queries
from api.scheduled.models import ScheduledMessage
from api.scheduled.schemas import Schedule, ScheduledUpdated, State, scheduled_out
from api.uploads import using
from api.uploads.schemas import Attachment, UsedBy, attachment, kept, shown

WAITING_MAX = 100  # of one person
AHEAD_MAX = timedelta(days=366)
SENT_AT_ONCE = 100  # in one round of the upkeep
TRIED_AGAIN_AFTER = 60  # seconds at most; what has been refused queues up behind the others

log = logging.getLogger(__name__)


def schedule(*, sender_id: uuid.UUID, room_id: uuid.UUID, content: Schedule) -> ScheduledMessage:
    """Keep something to be said later, and its files for it.

    Raises:
        InvalidRequest: blank or too long, too much metadata, a time that is past or too far,
            a file that is no unused one of the sender's, or as ``answering.check_answers``.
        NotFound, PermissionDenied, RoomArchived, Muted: as one who would say it now.
        LimitReached: too much waits.
    """
    said = _content(content, content.attachment_ids)
    check_content(said)
    moment, send_at = now(), moment_of(content.send_at, "/send_at")
    if not moment < send_at <= moment + AHEAD_MAX:
        raise InvalidRequest.at("/send_at", f"Within the next {AHEAD_MAX.days} days.")
    with writing():
        lock(sender_id, begin=True)
        member = rooms.member_in(room_id, sender_id)
        permissions.check_may_write(member.room, member, moment)
        check_answers(room_id, said, named_by([said]))
        if queries.seen_by(sender_id).count() >= WAITING_MAX:
            raise LimitReached(f"More than {WAITING_MAX} scheduled messages.")
        found = ScheduledMessage(
            sender_id=sender_id,
            room_id=room_id,
            text=content.text,
            metadata=content.metadata,
            reply_to_id=content.reply_to_id,
            thread_id=content.thread_id,
            send_at=send_at,
            due_at=send_at,
            created_at=moment,
        )
        found.attachments = kept(_taken(found, content.attachment_ids))
        _tell(found, "waiting", at=moment)
        found.save(force_insert=True)
    return found


def _taken(found: ScheduledMessage, ids: Sequence[uuid.UUID]) -> list[Attachment]:
    """Have these files kept for it."""
    if not ids:
        return []
    left = using.unused(ids)
    taken = using.take(owner_id=found.sender_id, ids=ids, left=left, pointer="/attachment_ids")
    using.use(ids, UsedBy("later", found.id, found.room_id))
    return [attachment(upload) for upload in taken]


def cancel(*, sender_id: uuid.UUID, room_id: uuid.UUID, scheduled_id: uuid.UUID) -> None:
    """Say something never; its files are unused again.

    Raises:
        NotFound, PermissionDenied: as ``queries.scheduled``.
        Conflict: it is being said.
    """
    with writing():
        lock(sender_id)
        found = queries.scheduled(room_id, sender_id, scheduled_id)
        if found.begun:
            raise Conflict("It is being said.")
        _tell(found, "cancelled")
        _forget(found)


def send_due(moment: datetime) -> None:
    """Say what is due; run by the upkeep."""
    due = ScheduledMessage.objects.filter(due_at__lte=moment, failure=None, sender__erased_at=None)
    for found in due.order_by("due_at", "send_at", "pk")[:SENT_AT_ONCE]:
        try:
            _send(found)
        except Exception:  # whatever becomes of one, the others have their time, too
            log.exception("scheduled message %s is not sent", found.pk)
            _put_off(found, begun=True, seconds=TRIED_AGAIN_AFTER)


def _send(found: ScheduledMessage) -> None:
    if not _begin(found):
        return
    try:
        if not User.objects.get(pk=found.sender_id).enabled:
            raise PermissionDenied
        ids = [item.id for item in shown(found.attachments)]
        content = _content(found, ids, client_msg_id=f"scheduled-{found.id}")
        sent = send_message(sender_id=found.sender_id, room_id=found.room_id, content=content)
    except ChatError as error:
        if error.retryable:
            seconds = min(error.retry_after or TRIED_AGAIN_AFTER, TRIED_AGAIN_AFTER)
            _put_off(found, begun=False, seconds=seconds)
        else:
            _settle(found, "failed", failure=error.code)
    else:
        _settle(found, "sent", message_id=sent.message.id)


def _begin(found: ScheduledMessage) -> bool:
    """Note that it is being said, which may take its files; tell whether it is still there."""
    with writing():
        lock(found.sender_id)
        there = bool(_present(found).update(begun=True))
        if there:
            _keep_files(found, "due")
    return there


def _put_off(found: ScheduledMessage, *, begun: bool, seconds: int) -> None:
    """Have it tried again; ``begun`` where it may have been said for all one knows."""
    due_at = now() + timedelta(seconds=seconds)
    with writing():
        lock(found.sender_id)
        if _present(found).update(begun=begun, due_at=due_at) and not begun:
            _keep_files(found, "later")


def _keep_files(found: ScheduledMessage, kind: Literal["later", "due"]) -> None:
    if found.attachments:
        using.keep_for(UsedBy(kind, found.id, found.room_id))


def _present(found: ScheduledMessage) -> QuerySet[ScheduledMessage]:
    return ScheduledMessage.objects.filter(pk=found.pk, failure=None)


def _content(
    later: Schedule | ScheduledMessage,
    attachment_ids: list[uuid.UUID],
    client_msg_id: str | None = None,
) -> Content:
    return Content(
        text=later.text,
        metadata=later.metadata,
        client_msg_id=client_msg_id,
        reply_to_id=later.reply_to_id,
        thread_id=later.thread_id,
        attachment_ids=attachment_ids,
    )


def _settle(
    found: ScheduledMessage,
    state: State,
    *,
    message_id: uuid.UUID | None = None,
    failure: str | None = None,
) -> None:
    """Note what has come of it, once: somebody else may have, or it was cancelled meanwhile.

    What has failed stays for its sender to see; where they are no longer, it goes.
    """
    with writing():
        lock(found.sender_id)
        present = _present(found).first()
        if present is None:
            return
        present.failure, present.begun = failure, False
        _tell(present, state, message_id=message_id)
        if state == "failed" and queries.seen_by(found.sender_id).filter(pk=found.pk).exists():
            present.save(update_fields=["failure", "begun"])
            _keep_files(present, "later")
        else:
            _forget(present)


def _forget(found: ScheduledMessage) -> None:
    if found.attachments:
        using.give_back(found.id)
    found.delete()


def _tell(
    found: ScheduledMessage,
    state: State,
    *,
    message_id: uuid.UUID | None = None,
    at: datetime | None = None,
) -> None:
    """Record what has become of it; what it says is kept by itself alone, and shown as it is."""
    update = ScheduledUpdated(
        id=found.id,
        room_id=found.room_id,
        state=state,
        message_id=message_id,
        scheduled=scheduled_out(found) if state in ("waiting", "failed") else None,
    )
    written, subject = plain(replace(update, scheduled=None)), ("scheduled", found.id)
    told = Entry(found.sender_id, "scheduled.updated", found.sender_id, subject, written)
    (event,) = append([told], at=at)
    event.show(update)
