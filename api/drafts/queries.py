"""Reads of drafts."""

import uuid
from collections.abc import Sequence

from api.codec import Payload
from api.drafts.models import Draft
from api.drafts.schemas import DraftOut, DraftUpdated, draft_out
from api.errors import NotFound
from api.log.reading import Recorded
from api.rooms import queries as rooms
from api.rooms.models import Member
from api.rooms.queries import Place


def draft_in(room_id: uuid.UUID, user_id: uuid.UUID) -> DraftOut:
    """Return what a member has begun to write in a room.

    Raises:
        NotFound, PermissionDenied: as ``rooms.member_in``, or there is no draft.
    """
    rooms.member_in(room_id, user_id)
    draft = Draft.objects.filter(room_id=room_id, user_id=user_id).first()
    if draft is None:
        raise NotFound
    return draft_out(draft)


def drafts_of(user_id: uuid.UUID) -> list[DraftOut]:
    """Return what a person has begun to write in rooms that they are in, the newest first."""
    mine = Member.objects.filter(user_id=user_id).values("room_id")
    drafts = Draft.objects.filter(user_id=user_id, room__in=mine)
    return [draft_out(draft) for draft in drafts.order_by("-updated_at", "room_id")]


def drafts_as_now(events: Sequence[Recorded]) -> dict[Place, Payload]:
    """Show the drafts that these events are about."""
    people = {event.stream_id for event in events}
    rooms_named = {event.subject_id for event in events}
    found = Draft.objects.filter(user_id__in=people, room_id__in=rooms_named)
    drafts = {(draft.user_id, draft.room_id): draft_out(draft) for draft in found}
    shown: dict[Place, Payload] = {}
    for event in events:
        if event.subject_id is not None:
            draft = drafts.get((event.stream_id, event.subject_id))
            update = DraftUpdated(room_id=event.subject_id, draft=draft)
            shown[event.stream_id, event.seq] = update
    return shown
