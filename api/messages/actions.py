"""Writes of messages: the one way in which each of these things happens."""

import hashlib
import uuid
from datetime import datetime
from typing import NamedTuple

import uuid_utils.compat as uuid_utils
from django.conf import settings
from django.db.models import Q, QuerySet

from api.clock import now
from api.codec import encode, plain
from api.errors import (
    Conflict,
    IdempotencyConflict,
    InvalidRequest,
    NotFound,
    NotSupported,
    PermissionDenied,
)
from api.log.append import Entry, append, lock, writing
from api.messages import queries
from api.messages.models import Message
from api.messages.schemas import Content, Deleted, MessagesDeleted, message_fact
from api.rooms import permissions
from api.rooms import queries as rooms
from api.rooms.models import Member, Role

METADATA_BYTES_MAX = 4 * 1024
BULK_MESSAGES_MAX = 1_000


class Sent(NamedTuple):
    """A message, and whether it was known already."""

    message: Message
    replayed: bool


class _SentBefore(Exception):
    """The room has this ``client_msg_id`` of this sender: nothing is to be written."""

    def __init__(self, message: Message) -> None:
        self.message = message
        super().__init__()


def send_message(*, sender_id: uuid.UUID, room_id: uuid.UUID, content: Content) -> Sent:
    """Say something in a room, once for each ``client_msg_id``.

    The room's stream is locked and numbered first and permission is read after that, so
    a member who is removed while the send waits for the lock writes nothing.

    Raises:
        InvalidRequest: blank or too long, or it answers a message of another room.
        NotFound, PermissionDenied: as ``rooms.member_in``, or the role only reads.
        RoomArchived, Muted, SlowMode: as ``permissions.check_may_send``.
        IdempotencyConflict: the same ``client_msg_id`` came with other content.
        NotSupported: threads and attachments.
    """
    _check_content(content)
    message_id, moment = uuid_utils.uuid7(), now()
    created = Entry(room_id, "message.created", sender_id, subject=("message", message_id))
    try:
        with writing():
            (event,) = append([created], at=moment)
            member = rooms.member_in(room_id, sender_id)
            _check_not_sent(member, content)
            permissions.check_may_send(member.room, member, moment)
            _check_reply(member, content)
            message = _insert(member, message_id, event.seq, moment, content)
            event.show(message_fact(message))
    except _SentBefore as before:
        return Sent(before.message, replayed=True)
    return Sent(message, replayed=False)


def edit_message(
    *, actor_id: uuid.UUID, message_id: uuid.UUID, text: str, if_changed_seq: int | None
) -> Message:
    """Change the text of one's own message.

    Raises:
        InvalidRequest: blank or too long.
        NotFound: no such message, not one's to see, or deleted.
        PermissionDenied: somebody else wrote it, or the role only reads.
        RoomArchived, Muted: as ``permissions.check_may_write``.
        Conflict: it has been changed since ``if_changed_seq``.
    """
    check_text(text)
    room_id = queries.room_of(message_id)
    with writing():
        lock(room_id)
        member, message = _member_and_message(actor_id, room_id, message_id)
        if message.sender_id != actor_id:
            raise PermissionDenied("Only its author edits a message.")
        if message.deleted_at is not None:
            raise NotFound("The message has been deleted.")
        if message.text == text:
            return message
        if if_changed_seq is not None and if_changed_seq != message.changed_seq:
            raise Conflict("The message has been changed since.")
        moment = now()
        permissions.check_may_write(member.room, member, moment)
        edited = Entry(room_id, "message.edited", actor_id, subject=("message", message_id))
        (event,) = append([edited], at=moment)
        message.text, message.edited_at, message.changed_seq = text, moment, event.seq
        message.save(update_fields=["text", "edited_at", "changed_seq"])
        event.show(message_fact(message))
    return message


def delete_message(*, actor_id: uuid.UUID, message_id: uuid.UUID) -> Message:
    """Turn a message into a tombstone: one's own, or as a moderator a lower role's.

    Raises:
        NotFound: no such message, or not one's to see.
        PermissionDenied: somebody else wrote it, of an equal or higher role.
        RoomArchived: nothing changes in it.
    """
    room_id = queries.room_of(message_id)
    with writing():
        lock(room_id)
        member, message = _member_and_message(actor_id, room_id, message_id)
        if message.sender_id != actor_id:
            permissions.check_at_least(member, Role.MODERATOR)
            _check_authors(member, Message.objects.filter(pk=message_id))
        if message.deleted_at is not None:
            return message
        permissions.check_not_archived(member.room)
        moment = now()
        deleted = Entry(room_id, "message.deleted", actor_id, subject=("message", message_id))
        (event,) = append([deleted], at=moment)
        _bury(Message.objects.filter(pk=message_id), moment, event.seq)
        message = queries.message_for_member(message_id, actor_id)
        event.show(message_fact(message))
    return message


def delete_messages(
    *, actor_id: uuid.UUID, room_id: uuid.UUID, ranges: list[tuple[int, int]]
) -> Deleted:
    """Turn every message in these ranges of numbers into a tombstone, in one event.

    Raises:
        InvalidRequest: a range runs backwards, or they hold too many messages.
        NotFound, PermissionDenied: as ``rooms.member_in``, no moderator, or one of the
            messages is of an equal or higher role.
        RoomArchived: nothing changes in it.
    """
    for place, (first, last) in enumerate(ranges):
        if first > last:
            raise InvalidRequest.at(f"/ranges/{place}", "It ends before it begins.")
    with writing():
        head = lock(room_id)
        member = rooms.member_in(room_id, actor_id)
        permissions.check_at_least(member, Role.MODERATOR)
        within = Q()
        for first, last in ranges:
            within |= Q(seq__gte=first, seq__lte=last)
        living = Message.objects.filter(within, room_id=room_id, deleted_at=None)
        count = living.count()
        if count > BULK_MESSAGES_MAX:
            raise InvalidRequest.at("/ranges", f"More than {BULK_MESSAGES_MAX} messages.")
        if count == 0:
            return Deleted(seq=None, count=0)
        permissions.check_not_archived(member.room)
        _check_authors(member, living)
        moment = now()
        reached = [(first, min(last, head)) for first, last in ranges if first <= head]
        data = plain(MessagesDeleted(ranges=reached, count=count))
        (event,) = append([Entry(room_id, "messages.deleted", actor_id, data=data)], at=moment)
        _bury(living, moment, event.seq)
    return Deleted(seq=event.seq, count=count)


def content_hash(content: Content) -> bytes:
    """Return what a repeated send is compared by: what was first said, not how."""
    said = [content.text, content.reply_to_id, content.thread_id, content.attachment_ids]
    return hashlib.sha256(encode(said)).digest()


def _member_and_message(
    actor_id: uuid.UUID, room_id: uuid.UUID, message_id: uuid.UUID
) -> tuple[Member, Message]:
    member = rooms.member_in(room_id, actor_id)
    return member, Message.objects.select_related("sender").get(pk=message_id)


def _insert(
    member: Member, message_id: uuid.UUID, seq: int, moment: datetime, content: Content
) -> Message:
    if member.room.slow_mode_seconds:
        mine = Member.objects.filter(room_id=member.room_id, user_id=member.user_id)
        mine.update(last_sent_at=moment)
    return Message.objects.create(
        id=message_id,
        room=member.room,
        seq=seq,
        changed_seq=seq,
        sender=member.user,
        text=content.text,
        metadata=content.metadata,
        client_msg_id=content.client_msg_id,
        content_hash=content_hash(content),
        reply_to_id=content.reply_to_id,
        created_at=moment,
    )


def _bury(messages: QuerySet[Message], moment: datetime, seq: int) -> None:
    messages.update(text=None, metadata=None, reply_to_id=None, deleted_at=moment, changed_seq=seq)


def _check_not_sent(member: Member, content: Content) -> None:
    if content.client_msg_id is None:
        return
    message = (
        Message.objects.select_related("sender")
        .filter(
            room_id=member.room_id,
            sender_id=member.user_id,
            client_msg_id=content.client_msg_id,
        )
        .first()
    )
    if message is None:
        return
    if bytes(message.content_hash) != content_hash(content):
        raise IdempotencyConflict
    raise _SentBefore(message)


def _check_content(content: Content) -> None:
    if content.thread_id is not None:
        raise NotSupported("Threads are not supported yet.")
    if content.attachment_ids:
        raise NotSupported("Attachments are not supported yet.")
    check_text(content.text)
    if content.metadata is not None and len(encode(content.metadata)) > METADATA_BYTES_MAX:
        raise InvalidRequest.at("/metadata", f"More than {METADATA_BYTES_MAX} bytes.")


def check_text(text: str) -> None:
    """Refuse what is no message.

    Raises:
        InvalidRequest: blank or too long.
    """
    limit = settings.LIMITS.text_characters
    if limit is not None and len(text) > limit:
        raise InvalidRequest.at("/text", f"More than {limit} characters.")
    if not text.strip():
        raise InvalidRequest.at("/text", "A message says something.")


def _check_reply(member: Member, content: Content) -> None:
    if content.reply_to_id is None:
        return
    answered = Message.objects.filter(pk=content.reply_to_id, room_id=member.room_id)
    if not answered.exists():
        raise InvalidRequest.at("/reply_to_id", "There is no such message in this room.")


def _check_authors(member: Member, messages: QuerySet[Message]) -> None:
    """Refuse what was written by others of an equal or higher role."""
    authors = messages.exclude(sender_id=member.user_id).values("sender_id")
    equals = Member.objects.filter(
        room_id=member.room_id, user_id__in=authors, role__gte=member.role
    )
    if equals.exists():
        raise PermissionDenied("Nobody acts on an equal or higher role.")
