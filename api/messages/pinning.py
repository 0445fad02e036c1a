"""Writes of pins: what a room keeps in sight."""

import uuid

from api.clock import now
from api.errors import LimitReached, NotFound
from api.log.append import Entry, append, lock, writing
from api.messages import queries
from api.messages.models import Message
from api.messages.schemas import MessageOut, told
from api.rooms import permissions
from api.rooms import queries as rooms
from api.rooms.models import Kind, Role

PINS_MAX = 100  # in one room


def pin_message(*, actor_id: uuid.UUID, message_id: uuid.UUID) -> MessageOut:
    """Pin a message: as a moderator, or in a direct room.

    Raises:
        NotFound: no such message, not one's to see, or deleted.
        PermissionDenied: too low a role.
        RoomArchived, Muted: as ``permissions.check_may_write``.
        LimitReached: the room has too many pins.
    """
    return _set_pinned(actor_id, message_id, pinned=True)


def unpin_message(*, actor_id: uuid.UUID, message_id: uuid.UUID) -> MessageOut:
    """Unpin a message: whoever might pin it.

    Raises:
        NotFound, PermissionDenied, RoomArchived, Muted: as ``pin_message``.
    """
    return _set_pinned(actor_id, message_id, pinned=False)


def _set_pinned(actor_id: uuid.UUID, message_id: uuid.UUID, *, pinned: bool) -> MessageOut:
    room_id = queries.room_of(message_id)
    with writing():
        lock(room_id)
        member = rooms.member_in(room_id, actor_id)
        if member.room.kind != Kind.DIRECT:
            permissions.check_at_least(member, Role.MODERATOR)
        message = Message.objects.get(pk=message_id)
        if message.deleted_at is not None:
            raise NotFound("The message has been deleted.")
        if message.pinned == pinned:
            return queries.message_as_seen(message_id, actor_id)
        moment = now()
        permissions.check_may_write(member.room, member, moment)
        if pinned and Message.objects.filter(room_id=room_id, pinned=True).count() >= PINS_MAX:
            raise LimitReached(f"A room has {PINS_MAX} pins.")
        event_type = "message.pinned" if pinned else "message.unpinned"
        entry = Entry(room_id, event_type, actor_id, subject=("message", message_id))
        (event,) = append([entry], at=moment)
        Message.objects.filter(pk=message_id).update(pinned=pinned, changed_seq=event.seq)
        changed = queries.message_as_seen(message_id, actor_id)
        event.show(told(changed))
        return changed
