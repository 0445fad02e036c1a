"""What a message may answer: which others it names, and whether it may."""

import uuid
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import NamedTuple

from api.errors import InvalidRequest
from api.messages.models import Message
from api.messages.schemas import Content
from api.statements import Rows, among


class Named(NamedTuple):
    """A message that others name: to quote it, or as the root of their thread."""

    id: uuid.UUID
    room_id: uuid.UUID
    seq: int
    sender_id: uuid.UUID
    thread_id: uuid.UUID | None
    deleted_at: datetime | None


_named = Rows(Named, lambda: Message.objects.filter(among("pk", "ids")).values_list(*Named._fields))


def named_by(contents: Iterable[Content]) -> dict[uuid.UUID, Named]:
    """Return the messages that these name, in one statement; none where none is named."""
    ids = {name for said in contents for name in (said.reply_to_id, said.thread_id) if name}
    return {found.id: found for found in _named.all(ids=list(ids))} if ids else {}


def check_answers(room_id: uuid.UUID, content: Content, there: Mapping[uuid.UUID, Named]) -> None:
    """Refuse to answer what is not in the room, or to open a thread where there can be none.

    Raises:
        InvalidRequest: no such message in this room, a root that is a reply or is deleted.
    """
    for field, message_id in (("reply_to", content.reply_to_id), ("thread", content.thread_id)):
        found = there.get(message_id) if message_id else None
        if message_id and (found is None or found.room_id != room_id):
            raise InvalidRequest.at(f"/{field}_id", "There is no such message in this room.")
    root = there[content.thread_id] if content.thread_id else None
    if root and root.thread_id is not None:
        raise InvalidRequest.at("/thread_id", "It is a reply in a thread itself.")
    if root and root.deleted_at is not None:
        raise InvalidRequest.at("/thread_id", "It has been deleted.")
