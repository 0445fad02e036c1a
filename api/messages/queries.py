"""Reads of messages."""

import uuid
from collections.abc import Collection, Iterable, Sequence

from api.codec import Payload
from api.errors import NotFound
from api.log.heads import head_of
from api.log.models import Event
from api.log.pages import Page, Window, page
from api.messages.models import Message
from api.messages.schemas import message_fact
from api.rooms import queries as rooms
from api.rooms.queries import Place


def message_for_member(message_id: uuid.UUID, user_id: uuid.UUID) -> Message:
    """Return a message, ``sender`` loaded, of a room that this person is in.

    Raises:
        NotFound: there is no such message, or it is not this person's to see.
        PermissionDenied: the room is public, but one has to join it for this.
    """
    message = Message.objects.select_related("sender").filter(pk=message_id).first()
    if message is None:
        raise NotFound
    rooms.member_in(message.room_id, user_id)
    return message


def room_of(message_id: uuid.UUID) -> uuid.UUID:
    """Return the room that a message is in; it never moves.

    Raises:
        NotFound: there is no such message.
    """
    room_id = Message.objects.filter(pk=message_id).values_list("room_id", flat=True).first()
    if room_id is None:
        raise NotFound
    return room_id


def messages_in(room_id: uuid.UUID, user_id: uuid.UUID, window: Window) -> Page[Message]:
    """Return a page of a room's history; to be read in one snapshot.

    Raises:
        NotFound, PermissionDenied: as ``rooms.member_in``.
    """
    rooms.member_in(room_id, user_id)
    messages = Message.objects.filter(room_id=room_id).select_related("sender")
    return page(messages, window, head_of(room_id))


def messages_by_id(
    room_id: uuid.UUID, user_id: uuid.UUID, ids: Collection[uuid.UUID]
) -> Page[Message]:
    """Return those of these messages that are in the room; to be read in one snapshot.

    Raises:
        NotFound, PermissionDenied: as ``rooms.member_in``.
    """
    rooms.member_in(room_id, user_id)
    head = head_of(room_id)
    messages = Message.objects.filter(room_id=room_id, pk__in=ids).select_related("sender")
    return Page(list(messages.order_by("seq")), 1, head, head, has_more=False)


def newest_of(message_ids: Iterable[uuid.UUID]) -> dict[uuid.UUID, Message]:
    """Return these messages by room, ``sender`` loaded."""
    messages = Message.objects.filter(pk__in=list(message_ids)).select_related("sender")
    return {message.room_id: message for message in messages}


def messages_as_now(events: Sequence[Event]) -> dict[Place, Payload]:
    """Show the messages that these events are about."""
    ids = {event.subject_id for event in events}
    messages = Message.objects.select_related("sender").in_bulk(ids)
    return {
        (event.stream_id, event.seq): message_fact(messages[event.subject_id]) for event in events
    }
