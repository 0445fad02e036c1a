"""What messages look like on the wire."""

import uuid
from collections.abc import Sequence
from typing import Annotated, Any

import msgspec
from msgspec.structs import asdict, astuple

from accounts.schemas import PERSON_COLUMNS, Person
from api.codec import INTEGER_MAX, Body, Instant, Payload, Seq, instant, instant_or_none
from api.log.pages import Page
from api.mentions.schemas import Mention, NotInRoom, shown
from api.uploads import schemas as uploads
from api.uploads.schemas import Attachment

ClientMsgId = Annotated[str, msgspec.Meta(min_length=1, max_length=64)]
AttachmentIds = Annotated[list[uuid.UUID], msgspec.Meta(max_length=10)]
Place = Annotated[int, msgspec.Meta(ge=1, le=INTEGER_MAX)]


class Content(Body):
    """What is said. ``client_msg_id`` makes it safe to send again."""

    text: str
    metadata: dict[str, Any] | None = None
    client_msg_id: ClientMsgId | None = None
    reply_to_id: uuid.UUID | None = None
    thread_id: uuid.UUID | None = None
    attachment_ids: AttachmentIds = []


class EditMessage(Body):
    """The new text; with ``if_changed_seq`` only if nobody was faster."""

    text: str
    if_changed_seq: Seq | None = None


class DeleteMessages(Body):
    """Ranges of numbers, both ends included: at most 1,000 messages."""

    ranges: Annotated[list[tuple[Place, Place]], msgspec.Meta(min_length=1, max_length=100)]


class Reaction(Payload):
    """An emoji, how often it was given, and whether by the one who asks."""

    emoji: str
    count: int
    mine: bool


class Thread(Payload):
    """What hangs on a root message."""

    count: int
    last_seq: int
    users: list[Person]


class MessageFact(Payload):
    """A message as everybody in the room sees it: the data of message events.

    Of two copies the one with the higher ``changed_seq`` is true.
    """

    id: uuid.UUID
    room_id: uuid.UUID
    seq: int
    changed_seq: int
    sender: Person
    text: str | None
    metadata: dict[str, Any] | None
    client_msg_id: str | None
    reply_to_id: uuid.UUID | None
    thread_id: uuid.UUID | None
    attachments: list[Attachment]
    mentions: list[Mention]
    pinned: bool
    created_at: Instant
    edited_at: Instant | None
    deleted_at: Instant | None


class Sent(Payload, omit_defaults=True):
    """The message as it is now; ``replayed`` when it was known already.

    ``warnings`` are there when it is new and there are some.
    """

    message: MessageFact
    replayed: bool
    warnings: list[NotInRoom] = []


class Edited(Payload, omit_defaults=True):
    """The message as it is now; ``warnings`` are there when there are some."""

    message: MessageFact
    warnings: list[NotInRoom] = []


class ReactionChanged(Payload):
    """Data of ``reaction.added`` and ``reaction.removed``; ``count`` is what there is after it."""

    message_id: uuid.UUID
    message_seq: int
    emoji: str
    user_id: uuid.UUID
    count: int


class Reacted(Payload):
    """How often the emoji stands there now; ``seq`` is null when nothing has changed."""

    seq: int | None
    count: int


class MessageOut(MessageFact):
    """A message as one person sees it; ``reactions`` in the order of their first use.

    Those are true at ``changed_seq`` too: each reaction is an event about the message.
    """

    reactions: list[Reaction]
    thread: Thread | None


def told(message: MessageOut) -> MessageFact:
    """Show what everybody in the room sees of a message."""
    return MessageFact(*astuple(message)[: len(MessageFact.__struct_fields__)])


class WrittenMessage(MessageOut, omit_defaults=True):
    """What one has just said or edited; ``warnings`` are there when there are some."""

    warnings: list[NotInRoom] = []


class MessageList(Payload, rename={"first": "from", "last": "to"}):
    """Messages numbered ``from`` to ``to``, as they stood at ``head``."""

    items: list[MessageOut]
    first: int
    last: int
    head: int
    has_more: bool


def message_list(page: Page[MessageOut]) -> MessageList:
    """Show a page of messages."""
    return MessageList(items=page.items, **page.bounds())


class Deleted(Payload):
    """The one event of a bulk deletion, and how many messages it took."""

    seq: int | None
    count: int


class MessagesDeleted(Payload):
    """Data of ``messages.deleted``: every message in these ranges is a tombstone."""

    ranges: list[tuple[int, int]]
    count: int


COLUMNS = (  # of the table, as ``message_fact`` takes them
    *("id", "room_id", "seq", "changed_seq"),
    *(f"sender__{column}" for column in PERSON_COLUMNS),
    *("text", "metadata", "client_msg_id", "reply_to_id", "thread_id"),
    *("created_at", "edited_at", "deleted_at", "pinned", "mentions", "attachments"),
)


def message_fact(*columns: Any) -> MessageFact:
    """Show a message, given as its columns, to everybody in its room."""
    return MessageFact(*fields_of(columns))


def fields_of(columns: Sequence[Any]) -> tuple[Any, ...]:
    """Return the fields that a message, given as its columns, has for everybody."""
    message_id, room_id, seq, changed_seq = columns[:4]
    text, metadata, client_msg_id, reply_to_id, thread_id = columns[9:14]
    created_at, edited_at, deleted_at, pinned, mentions, attachments = columns[14:]
    return (
        message_id,
        room_id,
        seq,
        changed_seq,
        Person(*columns[4:9]),
        text,
        metadata,
        client_msg_id,
        reply_to_id,
        thread_id,
        uploads.shown(attachments),
        shown(mentions),
        pinned,
        instant(created_at),
        instant_or_none(edited_at),
        instant_or_none(deleted_at),
    )


def written(message: MessageOut, warnings: list[NotInRoom]) -> WrittenMessage:
    """Show a message to the one who has just said or edited it."""
    return WrittenMessage(**asdict(message), warnings=warnings)
