"""The word filter of a room: what becomes of a text that somebody wants to write there."""

import uuid
from functools import lru_cache
from typing import NamedTuple

from api.errors import InvalidRequest
from api.rooms.models import Filter, Room
from api.rooms.wording import Unwanted

ROOMS_KEPT = 256  # whose words this process keeps at hand


class _Ready(NamedTuple):
    unwanted: Unwanted
    blocks: bool


def filtered(room: Room, text: str) -> str:
    """Return a text as the room lets it through; the room's stream is locked.

    Raises:
        InvalidRequest: it has a word that is not wanted here; at ``/text``.
    """
    if not room.filter_version:
        return text
    ready = _filter(room.id, room.filter_version)
    if not ready.blocks:
        return ready.unwanted.hidden(text)
    if ready.unwanted.is_in(text):
        raise InvalidRequest.at("/text", "A word in it is not wanted in this room.")
    return text


@lru_cache(ROOMS_KEPT)
def _filter(room_id: uuid.UUID, _version: int) -> _Ready:
    """Read the words; a version of them never changes."""
    found = Filter.objects.get(pk=room_id)
    return _Ready(Unwanted(found.words), blocks=found.action == "block")
