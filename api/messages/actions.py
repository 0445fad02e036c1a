"""Writes of messages: the one way in which each of these things happens."""

import uuid
from datetime import datetime

from django.db.models import Q, QuerySet

from api.audit.actions import record
from api.clock import now
from api.codec import plain
from api.errors import Conflict, InvalidRequest, NotFound, PermissionDenied
from api.log.append import Entry, append, lock, writing
from api.mentions import queries as mentions
from api.mentions import recording
from api.mentions.schemas import stored
from api.messages import attaching, queries
from api.messages.content import check_text
from api.messages.models import Message, Reaction, ReactionKind
from api.messages.participation import count_anew
from api.messages.schemas import (
    Content,
    Deleted,
    MessageOut,
    MessagesDeleted,
    Sent,
    WrittenMessage,
    told,
    written,
)
from api.messages.sending import Send, send_all
from api.rooms import permissions
from api.rooms import queries as rooms
from api.rooms.filtering import filtered
from api.rooms.models import Member, Role

BULK_MESSAGES_MAX = 1_000


def send_message(*, sender_id: uuid.UUID, room_id: uuid.UUID, content: Content) -> Sent:
    """Say something in a room, once for each ``client_msg_id``.

    Raises:
        InvalidRequest: blank or too long, with a word that is not wanted here, with a file
            that is no unused one of the sender's, or as ``answering.check_answers``.
        NotFound, PermissionDenied: as ``rooms.member_in``, or the role only reads.
        RoomArchived, Muted, SlowMode: as ``permissions.check_may_send``.
        RateLimited: they have sent too much in this room.
        IdempotencyConflict: the same ``client_msg_id`` came with other content.
    """
    (outcome,) = send_all([Send(sender_id, room_id, content)])
    if isinstance(outcome, Exception):
        raise outcome
    return outcome


def edit_message(
    *, actor_id: uuid.UUID, message_id: uuid.UUID, text: str, if_changed_seq: int | None
) -> WrittenMessage:
    """Change the text of one's own message.

    Raises:
        InvalidRequest: blank or too long, or a word is not wanted here.
        NotFound: no such message, not one's to see, or deleted.
        PermissionDenied: somebody else wrote it, or the role only reads.
        RoomArchived, Muted: as ``permissions.check_may_write``.
        Conflict: it has been changed since ``if_changed_seq``.
    """
    check_text(text, with_files=True)  # it may have some
    room_id = queries.room_of(message_id)
    with writing():
        lock(room_id)
        member, message = _member_and_message(actor_id, room_id, message_id)
        if message.sender_id != actor_id:
            raise PermissionDenied("Only its author edits a message.")
        if message.deleted_at is not None:
            raise NotFound("The message has been deleted.")
        check_text(text, with_files=message.attachments is not None)
        if message.text != text:
            text = filtered(member.room, text)
        if message.text == text:
            return written(queries.message_as_seen(message_id, actor_id), [])
        if if_changed_seq is not None and if_changed_seq != message.changed_seq:
            raise Conflict("The message has been changed since.")
        moment = now()
        permissions.check_may_write(member.room, member, moment)
        entry = Entry(room_id, "message.edited", actor_id, subject=("message", message_id))
        (event,) = append([entry], at=moment)
        (found,) = mentions.resolved([mentions.Said(room_id, text)])
        message.text, message.edited_at, message.changed_seq = text, moment, event.seq
        message.mentions = stored(found.mentions)
        message.save(update_fields=["text", "mentions", "edited_at", "changed_seq"])
        recording.forget(room_id, [message.seq])
        recording.record([recording.Spoken(room_id, message.seq, actor_id, found.mentions)])
        edited = queries.message_as_seen(message_id, actor_id)
        event.show(told(edited))
        return written(edited, found.warnings)


def delete_message(*, actor_id: uuid.UUID, message_id: uuid.UUID) -> MessageOut:
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
            return queries.message_as_seen(message_id, actor_id)
        permissions.check_not_archived(member.room)
        moment = now()
        entry = Entry(room_id, "message.deleted", actor_id, subject=("message", message_id))
        (event,) = append([entry], at=moment)
        bury(room_id, Message.objects.filter(pk=message_id), moment, event.seq)
        tombstone = queries.message_as_seen(message_id, actor_id)
        event.show(told(tombstone))
        if message.sender_id != actor_id:
            record(event, user_id=message.sender_id, message_id=message_id)
        return tombstone


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
        if living.exclude(sender_id=actor_id).exists():
            record(event, details=data)
        bury(room_id, living, moment, event.seq)
    return Deleted(seq=event.seq, count=count)


def _member_and_message(
    actor_id: uuid.UUID, room_id: uuid.UUID, message_id: uuid.UUID
) -> tuple[Member, Message]:
    member = rooms.member_in(room_id, actor_id)
    return member, Message.objects.get(pk=message_id)


def bury(room_id: uuid.UUID, messages: QuerySet[Message], moment: datetime, seq: int) -> None:
    """Make tombstones of a room's messages, by the event of that number, within its transaction."""
    in_threads = messages.exclude(thread_id=None).values_list("thread_id", "sender_id")
    pairs = {(thread_id, sender_id) for thread_id, sender_id in in_threads if thread_id}
    recording.forget(room_id, messages.values("seq"))
    attaching.release(messages, moment)
    Reaction.objects.filter(message__in=messages).delete()
    ReactionKind.objects.filter(message__in=messages).delete()
    messages.update(
        text=None,
        metadata=None,
        reply_to_id=None,
        pinned=False,
        mentions=None,
        attachments=None,
        deleted_at=moment,
        changed_seq=seq,
    )
    count_anew(pairs)


def _check_authors(member: Member, messages: QuerySet[Message]) -> None:
    """Refuse what was written by others of an equal or higher role."""
    authors = messages.exclude(sender_id=member.user_id).values("sender_id")
    equals = Member.objects.filter(
        room_id=member.room_id, user_id__in=authors, role__gte=member.role
    )
    if equals.exists():
        raise PermissionDenied("Nobody acts on an equal or higher role.")
