"""What drafts look like on the wire."""

import uuid
from typing import Annotated

import msgspec

from api.codec import Body, Instant, Payload, instant
from api.drafts.models import Draft


class KeepDraft(Body):
    """What has been written so far, and what it is meant for."""

    text: Annotated[str, msgspec.Meta(min_length=1)]
    reply_to_id: uuid.UUID | None = None
    thread_id: uuid.UUID | None = None


class DraftOut(Payload):
    """What has been written so far."""

    room_id: uuid.UUID
    text: str
    reply_to_id: uuid.UUID | None
    thread_id: uuid.UUID | None
    updated_at: Instant


class DraftUpdated(Payload):
    """Data of ``draft.updated``; ``draft`` is null when it is gone."""

    room_id: uuid.UUID
    draft: DraftOut | None


def draft_out(draft: Draft) -> DraftOut:
    """Show a draft to its person."""
    return DraftOut(
        room_id=draft.room_id,
        text=draft.text,
        reply_to_id=draft.reply_to_id,
        thread_id=draft.thread_id,
        updated_at=instant(draft.updated_at),
    )
