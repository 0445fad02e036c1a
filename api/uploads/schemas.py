"""What uploads look like on the wire, and what may use one."""

import uuid
from collections.abc import Sequence
from typing import Any, Literal, NamedTuple

from api.codec import Payload, plain
from api.uploads.models import Upload


class Attachment(Payload):
    """A file; ``width`` and ``height`` in pixels, null for what is no image."""

    id: uuid.UUID
    name: str
    size: int
    content_type: str
    width: int | None
    height: int | None


class UsedBy(NamedTuple):
    """What an upload is used by: a message, or a room or a person as their avatar.

    ``later``: what is to be said later keeps it; ``due``: that is being said now, and takes it.
    """

    kind: Literal["message", "room", "person", "later", "due"]
    id: uuid.UUID
    room_id: uuid.UUID | None


def attachment(upload: Upload) -> Attachment:
    """Show an upload."""
    return Attachment(*(getattr(upload, name) for name in Attachment.__struct_fields__))


def kept(attachments: Sequence[Attachment]) -> list[dict[str, Any]] | None:
    """Return attachments as they are kept with a message; none are null."""
    return [plain(item) for item in attachments] or None


def shown(items: list[dict[str, Any]] | None) -> list[Attachment]:
    """Show attachments that are kept with a message."""
    return [attachment_shown(item) for item in items or ()]


def attachment_shown(item: dict[str, Any]) -> Attachment:
    """Show one attachment that is kept with what uses it."""
    return Attachment(**{**item, "id": uuid.UUID(item["id"])})


def avatar_id(item: dict[str, Any] | None) -> uuid.UUID | None:
    """Return the id of an avatar that is kept with its room or person."""
    return None if item is None else uuid.UUID(item["id"])
