"""What is said: whether it is a message at all, and what a repeated send is known by."""

import hashlib

from django.conf import settings

from api.codec import check_size, encode
from api.errors import InvalidRequest
from api.messages.schemas import Content

METADATA_BYTES_MAX = 4 * 1024


def content_hash(content: Content) -> bytes:
    """Return what a repeated send is compared by: what was first said, not how."""
    said = [content.text, content.reply_to_id, content.thread_id, content.attachment_ids]
    return hashlib.sha256(encode(said)).digest()


def check_text(text: str, *, with_files: bool = False) -> None:
    """Refuse what is no message; blank is what comes with files.

    Raises:
        InvalidRequest: blank or too long.
    """
    limit = settings.LIMITS.text_characters
    if limit is not None and len(text) > limit:
        raise InvalidRequest.at("/text", f"More than {limit} characters.")
    if not with_files and not text.strip():
        raise InvalidRequest.at("/text", "A message says something.")


def check_content(content: Content) -> None:
    """Refuse what is no message, whatever the room.

    Raises:
        InvalidRequest: as ``check_text``, or too much metadata.
    """
    check_text(content.text, with_files=bool(content.attachment_ids))
    check_size(content.metadata, METADATA_BYTES_MAX, "/metadata")
