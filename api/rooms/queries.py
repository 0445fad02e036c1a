"""Reads of rooms and members."""

import uuid
from collections.abc import Collection, Sequence
from typing import Any, cast

from accounts.models import User
from accounts.schemas import person
from api.codec import Payload
from api.errors import InvalidRequest, NotFound, PermissionDenied
from api.log.models import Event
from api.rooms.models import Kind, Member, Room
from api.rooms.schemas import MemberOut, room_fact

Place = tuple[uuid.UUID, int]  # a stream and a number in it


def member_in(room_id: uuid.UUID, user_id: uuid.UUID) -> Member:
    """Return the membership, with ``room`` and ``user`` loaded.

    Raises:
        PermissionDenied: the room is public, but one has to join it for this.
        NotFound: there is no such room, or it is not this person's to see.
    """
    members = Member.objects.select_related("room", "user")
    member = members.filter(room_id=room_id, user_id=user_id).first()
    if member is None:
        visible_room(room_id, user_id)
        raise PermissionDenied("This takes membership.")
    return member


def visible_room(room_id: uuid.UUID, user_id: uuid.UUID) -> Room:
    """Return a room that this person may know of.

    Raises:
        NotFound: there is no such room, or it is not this person's to see.
    """
    room = Room.objects.filter(pk=room_id, deleted_at=None).first()
    if room is None:
        raise NotFound
    if room.kind != Kind.PUBLIC and not is_member(room_id, user_id):
        raise NotFound
    return room


def is_member(room_id: uuid.UUID, user_id: uuid.UUID) -> bool:
    """Tell whether a person is in a room."""
    return Member.objects.filter(room_id=room_id, user_id=user_id).exists()


def public_among(room_ids: Collection[uuid.UUID]) -> set[uuid.UUID]:
    """Return which of these rooms everybody may know of."""
    rooms = Room.objects.filter(pk__in=room_ids, deleted_at=None, kind=Kind.PUBLIC)
    return set(rooms.values_list("pk", flat=True))


def members_after(room_id: uuid.UUID, cursor: uuid.UUID | None, limit: int) -> list[Member]:
    """Return members in the order of their ids, with ``user`` loaded."""
    members = Member.objects.filter(room_id=room_id).select_related("user")
    if cursor is not None:
        members = members.filter(user_id__gt=cursor)
    return list(members.order_by("user_id")[:limit])


def people(user_ids: Sequence[uuid.UUID], pointer: str) -> list[User]:
    """Return these users in this order, each once.

    Raises:
        InvalidRequest: one of them does not exist; at ``pointer``.
    """
    found = User.objects.filter(erased_at=None, disabled_at=None).in_bulk(user_ids)
    for place, user_id in enumerate(user_ids):
        if user_id not in found:
            raise InvalidRequest.at(f"{pointer}/{place}", "There is no such user.")
    return [found[user_id] for user_id in dict.fromkeys(user_ids)]


def rooms_as_now(events: Sequence[Event]) -> dict[Place, Payload]:
    """Show the rooms that these events are about."""
    rooms = Room.objects.in_bulk({event.subject_id for event in events})
    return {(event.stream_id, event.seq): room_fact(rooms[event.subject_id]) for event in events}


def members_as_written(events: Sequence[Event]) -> dict[Place, Payload]:
    """Show what happened to members, with the people as they are now."""
    users = User.objects.in_bulk({event.subject_id for event in events})
    return {
        (event.stream_id, event.seq): MemberOut(
            user=person(users[event.subject_id]),
            **cast(dict[str, Any], event.data),
        )
        for event in events
    }
