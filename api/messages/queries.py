"""Reads of messages."""

import uuid
from collections.abc import Collection, Iterable, Sequence
from functools import partial
from operator import attrgetter

from django.db.models import Q

from api.codec import Payload
from api.errors import NotFound
from api.log.heads import head_given
from api.log.pages import Page, Pages, Window
from api.log.reading import Recorded
from api.messages.models import Message
from api.messages.schemas import COLUMNS, MessageFact, MessageOut, message_fact
from api.messages.viewing import message_seen, seen_columns
from api.rooms import queries as rooms
from api.rooms.queries import Place
from api.statements import Given, Rows, among, parts

_in_room = Q(room_id=Given("room_id"))
_these = among("pk", "ids")


def _pages(*conditions: Q) -> Pages[MessageOut]:
    member = rooms.is_a_member("room_id", "viewer_id")
    return Pages(
        message_seen,
        lambda: Message.objects.filter(_in_room, member, *conditions).values_list(
            head_given("room_id"), *seen_columns()
        ),
    )


_history = _pages()
_outside_threads = _pages(Q(thread_id=None))
_pins = _pages(Q(pinned=True))
_thread = _pages(Q(thread_id=Given("root_id")))
_messages = Rows(message_fact, lambda: Message.objects.filter(_these).values_list(*COLUMNS))
_texts = Rows(
    lambda message_id, text: (message_id, text or ""),
    lambda: Message.objects.filter(_these).values_list("pk", "text"),
)
_seen = Rows(message_seen, lambda: Message.objects.filter(_these).values_list(*seen_columns()))


def message(message_id: uuid.UUID) -> MessageFact:
    """Return a message that is there."""
    (found,) = _messages.all(ids=[message_id])
    return found


def message_as_seen(message_id: uuid.UUID, viewer_id: uuid.UUID) -> MessageOut:
    """Return a message that is there, as one person sees it."""
    (found,) = _seen.all(ids=[message_id], viewer_id=viewer_id)
    return found


def message_for_member(message_id: uuid.UUID, user_id: uuid.UUID) -> MessageOut:
    """Return a message of a room that this person is in; to be read in one snapshot.

    Raises:
        NotFound: there is no such message, or it is not this person's to see.
        PermissionDenied: the room is public, but one has to join it for this.
    """
    found = _seen.first(ids=[message_id], viewer_id=user_id)
    if found is None:
        raise NotFound
    rooms.head_for_member(found.room_id, user_id)
    return found


def room_of(message_id: uuid.UUID) -> uuid.UUID:
    """Return the room that a message is in; it never moves.

    Raises:
        NotFound: there is no such message.
    """
    room_id = Message.objects.filter(pk=message_id).values_list("room_id", flat=True).first()
    if room_id is None:
        raise NotFound
    return room_id


def messages_in(
    room_id: uuid.UUID, user_id: uuid.UUID, window: Window, *, threads: bool = True
) -> Page[MessageOut]:
    """Return a page of a room's history, with or without replies; not within a snapshot.

    Raises:
        NotFound, PermissionDenied: as ``rooms.member_in``.
    """
    return _read(_history if threads else _outside_threads, room_id, user_id, window)


def pins_in(room_id: uuid.UUID, user_id: uuid.UUID, window: Window) -> Page[MessageOut]:
    """Return a page of what is pinned in a room; not within a snapshot.

    Raises:
        NotFound, PermissionDenied: as ``rooms.member_in``.
    """
    return _read(_pins, room_id, user_id, window)


def _read(
    pages: Pages[MessageOut], room_id: uuid.UUID, user_id: uuid.UUID, window: Window
) -> Page[MessageOut]:
    head = partial(rooms.head_for_member, room_id, user_id)
    return pages.read(window, head, room_id=room_id, viewer_id=user_id)


def messages_by_id(
    room_id: uuid.UUID, user_id: uuid.UUID, ids: Collection[uuid.UUID], *, threads: bool = True
) -> Page[MessageOut]:
    """Return those of these messages that are in the room; to be read in one snapshot.

    Raises:
        NotFound, PermissionDenied: as ``rooms.member_in``.
    """
    head = rooms.head_for_member(room_id, user_id)
    items = [
        message
        for message in messages_as_seen(ids, user_id)
        if message.room_id == room_id and (threads or message.thread_id is None)
    ]
    return Page(sorted(items, key=attrgetter("seq")), 1, head, head, has_more=False)


def thread_page(
    room_id: uuid.UUID, user_id: uuid.UUID, root_id: uuid.UUID, window: Window
) -> Page[MessageOut]:
    """Return a page of the replies to a root; to be read in one snapshot.

    Raises:
        NotFound, PermissionDenied: as ``rooms.member_in``.
    """
    head = rooms.head_for_member(room_id, user_id)
    return _thread.page(window, head, room_id=room_id, viewer_id=user_id, root_id=root_id)


def messages_as_seen(message_ids: Iterable[uuid.UUID], viewer_id: uuid.UUID) -> list[MessageOut]:
    """Return the messages that have these ids as one person sees them, in no order."""
    found = (_seen.all(ids=part, viewer_id=viewer_id) for part in parts(message_ids))
    return [message for part in found for message in part]


def messages_with(message_ids: Iterable[uuid.UUID]) -> list[MessageFact]:
    """Return the messages that have these ids, in no order."""
    return [found for part in parts(message_ids) for found in _messages.all(ids=part)]


def texts(message_ids: Iterable[uuid.UUID]) -> dict[uuid.UUID, str]:
    """Return the texts of these messages; a tombstone has none, which is an empty one."""
    return dict(found for part in parts(message_ids) for found in _texts.all(ids=part))


def messages_as_now(events: Sequence[Recorded]) -> dict[Place, Payload]:
    """Show the messages that these events are about."""
    ids = list({event.subject_id for event in events})
    found = {message.id: message for message in _messages.all(ids=ids)}
    return {(event.stream_id, event.seq): found[event.subject_id] for event in events}
