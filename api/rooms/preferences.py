"""Writes of one's own settings for a room, which go to one's own devices alone."""

import uuid
from typing import Any

import msgspec

from api.codec import moment_of
from api.log.append import Entry, append, lock, writing
from api.log.heads import head_of
from api.log.models import Event
from api.rooms import queries
from api.rooms.models import Member
from api.rooms.schemas import UpdatePreferences


def change_preferences(
    *, user_id: uuid.UUID, room_id: uuid.UUID, changes: UpdatePreferences
) -> None:
    """Change what one has set for a room; what is so already makes no event.

    Raises:
        NotFound, PermissionDenied: as ``queries.member_in``.
    """
    with writing():
        lock(user_id)  # who removes this person has to wait for their stream as well
        keep(queries.member_in(room_id, user_id), **_wanted(changes))


def keep(member: Member, *, hidden: bool | None = None, **wanted: Any) -> None:
    """Keep columns of a member as their own settings, in the caller's transaction.

    ``hidden``: whether the room is to be shown again only when more is said in it.
    """
    if hidden is not None and hidden != _is_hidden(member):
        wanted["hidden_seq"] = head_of(member.room_id) if hidden else None
    if all(getattr(member, name) == value for name, value in wanted.items()):
        return
    subject = ("preferences", member.room_id)
    append([Entry(member.user_id, "preferences.updated", member.user_id, subject=subject)])
    Member.objects.filter(room_id=member.room_id, user_id=member.user_id).update(**wanted)


def _is_hidden(member: Member) -> bool:
    if member.hidden_seq is None:
        return False
    since = Event.objects.filter(stream_id=member.room_id, seq__gt=member.hidden_seq)
    return not since.filter(type="message.created").exists()


def _wanted(changes: UpdatePreferences) -> dict[str, Any]:
    given = msgspec.structs.asdict(changes)
    wanted = {name: value for name, value in given.items() if value is not msgspec.UNSET}
    if "muted_until" in wanted:
        until = wanted.pop("muted_until")
        wanted["notifications_muted_until"] = until and moment_of(until, "/muted_until")
    return wanted
