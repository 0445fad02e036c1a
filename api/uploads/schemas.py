"""What uploads look like on the wire, and what may use one."""

import uuid
from typing import Any, Literal, NamedTuple

from api.codec import Payload
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
    """What an upload is used by: a message, or a room or a person as their avatar."""

    kind: Literal["message", "room", "person"]
    id: uuid.UUID
    room_id: uuid.UUID | None


def attachment(upload: Upload) -> Attachment:
    """Show an upload."""
    return Attachment(*(getattr(upload, name) for name in Attachment.__struct_fields__))


def attachment_kept(columns: dict[str, Any]) -> Attachment:
    """Show an upload, given as it is kept with what uses it."""
    return Attachment(**{**columns, "id": uuid.UUID(columns["id"])})
