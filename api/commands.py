"""What a socket can be told to do to the record: one table, type → struct and action."""

import uuid
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass, replace
from typing import Any

from accounts.schemas import Profile
from api.codec import Body, Payload, Seq, encode
from api.errors import InvalidRequest, NotSupported
from api.limits import Limits
from api.log.pages import Page, Window
from api.messages import actions as messages
from api.messages import grouping, reacting
from api.messages.queries import messages_in
from api.messages.schemas import (
    Content,
    Edited,
    EditMessage,
    MessageFact,
    MessageOut,
    Reacted,
    Sent,
    told,
)
from api.messages.sending import Send
from api.rest import PAGE_DEFAULT
from api.sync import actions as sync
from api.sync.schemas import Counts, Read

HISTORY_BYTES_MAX = 255 * 1024  # of a page; with its envelope no frame exceeds 256 KiB


class SendMessage(Content, kw_only=True):
    """``message.send``: the fields of the POST, and the room."""

    room_id: uuid.UUID


class EditOne(EditMessage, kw_only=True):
    """``message.edit``: the fields of the PATCH, and the message."""

    message_id: uuid.UUID


class DeleteOne(Body):
    """``message.delete``."""

    message_id: uuid.UUID


class React(Body):
    """``reaction.add`` and ``reaction.remove``: an emoji, or a `:name:`."""

    message_id: uuid.UUID
    emoji: str


class ReadRoom(Read, kw_only=True):
    """``read``: the fields of the PUT, and the room."""

    room_id: uuid.UUID


class History(Body):
    """``history``: the parameters of the GET, and the room."""

    room_id: uuid.UUID
    before: Seq | None = None
    after: Seq | None = None
    around: Seq | None = None
    limit: int = PAGE_DEFAULT


class MessageReply(Payload):
    """The message as it is now."""

    message: MessageFact


class HistoryReply(Payload, rename={"first": "from", "last": "to"}):
    """Messages numbered ``from`` to ``to``, as they stood at ``head``."""

    items: list[MessageFact]
    first: int
    last: int
    head: int
    has_more: bool


@dataclass(frozen=True)
class Command:
    """One row of the table; ``act`` may wait for the database, ``begin`` does not."""

    shape: type[Body]
    act: Callable[[Profile, Any, Limits], Payload]
    reply: type[Payload]
    begin: Callable[[Profile, Any], Future[Any] | None] | None = None


def _send(user: Profile, command: SendMessage, _: Limits) -> Sent:
    return messages.send_message(sender_id=user.id, room_id=command.room_id, content=command)


def _begin_to_send(user: Profile, command: SendMessage) -> Future[Sent] | None:
    return grouping.submit(Send(user.id, command.room_id, command))


def _edit(user: Profile, command: EditOne, _: Limits) -> Edited:
    message = messages.edit_message(
        actor_id=user.id,
        message_id=command.message_id,
        text=command.text,
        if_changed_seq=command.if_changed_seq,
    )
    return Edited(message=told(message), warnings=message.warnings)


def _delete(user: Profile, command: DeleteOne, _: Limits) -> MessageReply:
    message = messages.delete_message(actor_id=user.id, message_id=command.message_id)
    return MessageReply(message=told(message))


def _add_reaction(user: Profile, command: React, _: Limits) -> Reacted:
    return reacting.add_reaction(
        user_id=user.id, message_id=command.message_id, emoji=command.emoji
    )


def _remove_reaction(user: Profile, command: React, _: Limits) -> Reacted:
    return reacting.remove_reaction(
        user_id=user.id, message_id=command.message_id, emoji=command.emoji
    )


def _read(user: Profile, command: ReadRoom, _: Limits) -> Counts:
    return sync.mark_read(
        user_id=user.id,
        room_id=command.room_id,
        seq=command.seq,
        backward=command.backward,
    )


def _history(user: Profile, command: History, limits: Limits) -> HistoryReply:
    if not 1 <= command.limit <= limits.page:
        raise InvalidRequest.at("/limit", f"Between 1 and {limits.page}.")
    window = Window(
        limit=command.limit,
        before=command.before,
        after=command.after,
        around=command.around,
    )
    few = replace(window, limit=min(command.limit, PAGE_DEFAULT))
    page = messages_in(command.room_id, user.id, few)
    if window != few and _fits(page):
        page = messages_in(command.room_id, user.id, window)
    return _history_reply(page if _fits(page) else page.cut(window, HISTORY_BYTES_MAX))


def _fits(page: Page[MessageOut]) -> bool:
    return len(encode(_history_reply(page))) <= HISTORY_BYTES_MAX


def _history_reply(page: Page[MessageOut]) -> HistoryReply:
    return HistoryReply(items=[told(item) for item in page.items], **page.bounds())


TABLE: dict[str, Command] = {
    "message.send": Command(SendMessage, _send, Sent, _begin_to_send),
    "message.edit": Command(EditOne, _edit, Edited),
    "message.delete": Command(DeleteOne, _delete, MessageReply),
    "reaction.add": Command(React, _add_reaction, Reacted),
    "reaction.remove": Command(React, _remove_reaction, Reacted),
    "read": Command(ReadRoom, _read, Counts),
    "history": Command(History, _history, HistoryReply),
}


def shape_of(kind: str) -> type[Body]:
    """Return the struct of a command.

    Raises:
        NotSupported: there is no such command.
    """
    if kind not in TABLE:
        raise NotSupported(f"There is no command '{kind[:40]}'.")
    return TABLE[kind].shape


def begin(kind: str, command: Body, user: Profile) -> Future[Payload] | None:
    """Have a command carried out together with others, in the order of their beginnings.

    None where it has to be ``perform``ed. The future raises what that raises.
    """
    start = TABLE[kind].begin
    return None if start is None else start(user, command)


def perform(kind: str, command: Body, user: Profile, limits: Limits) -> Payload:
    """Carry out a command, given as its struct, and return its result.

    Raises:
        ChatError: whatever the action of the slice refuses.
    """
    return TABLE[kind].act(user, command, limits)
