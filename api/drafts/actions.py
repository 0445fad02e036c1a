"""Writes of drafts, told to the person's other devices."""

import uuid

from api.clock import now
from api.drafts.models import Draft
from api.drafts.schemas import DraftOut, DraftUpdated, KeepDraft, draft_out
from api.log.append import Entry, append, lock, writing
from api.messages.content import check_text
from api.rooms import queries as rooms


def keep_draft(*, user_id: uuid.UUID, room_id: uuid.UUID, content: KeepDraft) -> DraftOut:
    """Keep what a member has begun to write; the same again makes no event.

    Raises:
        NotFound, PermissionDenied: as ``rooms.member_in``.
        InvalidRequest: blank or too long.
    """
    check_text(content.text)
    with writing():
        lock(user_id, begin=True)
        rooms.member_in(room_id, user_id)
        mine = Draft.objects.filter(user_id=user_id, room_id=room_id)
        draft = mine.first() or Draft(user_id=user_id, room_id=room_id)
        new = draft._state.adding
        columns = ("text", "reply_to_id", "thread_id")
        if not new and all(getattr(draft, name) == getattr(content, name) for name in columns):
            return draft_out(draft)
        draft.updated_at = now()
        for name in columns:
            setattr(draft, name, getattr(content, name))
        (event,) = append([_updated(user_id, room_id)], at=draft.updated_at)
        draft.save(force_insert=new)
        kept = draft_out(draft)
        event.show(DraftUpdated(room_id=room_id, draft=kept))
    return kept


def drop_draft(*, user_id: uuid.UUID, room_id: uuid.UUID) -> None:
    """Forget what a member has begun to write; of what is not there nothing is said.

    Raises:
        NotFound, PermissionDenied: as ``rooms.member_in``.
    """
    with writing():
        lock(user_id)
        rooms.member_in(room_id, user_id)
        mine = Draft.objects.filter(user_id=user_id, room_id=room_id)
        if mine.exists():
            (event,) = append([_updated(user_id, room_id)])
            mine.delete()
            event.show(DraftUpdated(room_id=room_id, draft=None))


def _updated(user_id: uuid.UUID, room_id: uuid.UUID) -> Entry:
    return Entry(user_id, "draft.updated", user_id, subject=("draft", room_id))
