"""Reads of rooms and members."""

import uuid
from collections.abc import Collection, Sequence
from datetime import datetime
from functools import cache
from typing import Any, cast

from django.db.models import BooleanField, Case, Exists, OuterRef, Q, When

from accounts.models import User
from accounts.queries import people_by_id
from api.blocks.models import Block
from api.codec import Payload
from api.errors import InvalidRequest, NotFound, PermissionDenied
from api.log.heads import head_at
from api.log.reading import Recorded
from api.rooms.models import FOREVER, Ban, Kind, Member, Mute, Role, Room
from api.rooms.schemas import MemberOut, room_fact
from api.statements import Given, Instances, Rows, among, any_of, numbered

MODERATORS_TOLD_MAX = 50

Place = tuple[uuid.UUID, int]  # a stream and a number in it
Standing = tuple[uuid.UUID, uuid.UUID]  # a room and a person who is, or is not, in it

_membership = Rows(
    lambda head: head or 0,
    lambda: Member.objects.filter(room_id=Given("room_id"), user_id=Given("user_id")).values_list(
        head_at("room_id")
    ),
)
_rooms_by_id = Instances[Room](lambda: Room.objects.filter(among("pk", "ids")))


def member_in(room_id: uuid.UUID, user_id: uuid.UUID) -> Member:
    """Return the membership, with ``room`` and ``user`` loaded; who is erased has none.

    Raises:
        PermissionDenied: the room is public, but one has to join it for this.
        NotFound: there is no such room, or it is not this person's to see.
    """
    found = members_in([(room_id, user_id)])
    if not found:
        raise refusal(room_id)
    return found[room_id, user_id]


def member_if_any(room_id: uuid.UUID, user_id: uuid.UUID) -> Member | None:
    """Return the membership, with ``room`` and ``user`` loaded; None where there is none."""
    members = Member.objects.select_related("room", "user")
    return members.filter(room_id=room_id, user_id=user_id).first()


def moderators(room_id: uuid.UUID, *, but: uuid.UUID) -> list[uuid.UUID]:
    """Return who is told what moderators decide, the highest first, without one person."""
    found = Member.objects.filter(room_id=room_id, role__gte=Role.MODERATOR).exclude(user_id=but)
    by_rank = found.order_by("-role", "joined_at").values_list("user_id", flat=True)
    return list(by_rank[:MODERATORS_TOLD_MAX])


def bans_of(room_id: uuid.UUID, user_ids: Collection[uuid.UUID]) -> dict[uuid.UUID, Ban]:
    """Return the bans of these people, also those that are over, with ``user`` loaded."""
    bans = Ban.objects.filter(room_id=room_id, user_id__in=user_ids).select_related("user")
    return {ban.user_id: ban for ban in bans}


def mutes_of(
    room_id: uuid.UUID, user_ids: Collection[uuid.UUID], moment: datetime
) -> dict[uuid.UUID, datetime]:
    """Return until when these people may not write, where they may not."""
    mutes = Mute.objects.filter(room_id=room_id, user_id__in=user_ids)
    holds = mutes.filter(Q(until=None) | Q(until__gt=moment))
    return {mute.user_id: mute.until or FOREVER for mute in holds}


def members_in(standings: Collection[Standing]) -> dict[Standing, Member]:
    """Return those of these memberships that there are, in one query, as ``member_in``."""
    found = _members_in(len(standings)).all(**numbered(standings, "room", "user"))
    return {(member.room_id, member.user_id): member for member in found}


@cache
def _members_in(count: int) -> Instances[Member]:
    wanted = any_of(count, room_id="room", user_id="user")
    return Instances(
        lambda: (
            Member.objects.select_related("room", "user")
            .annotate(blocked_by_other=_blocked_by_other())
            .filter(wanted, user__erased_at=None)
        )
    )


def _blocked_by_other() -> Case:
    """Say whether the other one of two has blocked a member, in the statement that loads them."""
    people = Member.objects.filter(room_id=OuterRef(OuterRef("room_id"))).values("user_id")
    blocks = Block.objects.filter(blocked_id=OuterRef("user_id"), blocker_id__in=people)
    of_two = Q(room__kind=Kind.DIRECT, room__member_count=2)
    return Case(When(of_two, then=Exists(blocks)), default=False, output_field=BooleanField())


def is_a_member(room: str, user: str) -> Exists:
    """Return whether the person is in the room that are given under these names."""
    return Exists(Member.objects.filter(room_id=Given(room), user_id=Given(user)))


def head_for_member(room_id: uuid.UUID, user_id: uuid.UUID) -> int:
    """Return the head of a room's stream to a member of it.

    Raises:
        NotFound, PermissionDenied: as ``member_in``.
    """
    head = _membership.first(room_id=room_id, user_id=user_id)
    if head is None:
        raise refusal(room_id)
    return head


def refusal(room_id: uuid.UUID) -> NotFound | PermissionDenied:
    """Return what somebody is told who is not a member of a room."""
    if public_among([room_id]):
        return PermissionDenied("This takes membership.")
    return NotFound()


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


def is_visible(room_id: uuid.UUID, user_id: uuid.UUID) -> bool:
    """Tell whether a person may know of a room."""
    return bool(public_among([room_id])) or is_member(room_id, user_id)


def is_member(room_id: uuid.UUID, user_id: uuid.UUID) -> bool:
    """Tell whether a person is in a room."""
    return _membership.first(room_id=room_id, user_id=user_id) is not None


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


def rooms_as_now(events: Sequence[Recorded]) -> dict[Place, Payload]:
    """Show the rooms that these events are about."""
    rooms = {room.id: room for room in _rooms_by_id.all(ids=[event.subject_id for event in events])}
    return {(event.stream_id, event.seq): room_fact(rooms[event.subject_id]) for event in events}


def members_as_written(events: Sequence[Recorded]) -> dict[Place, Payload]:
    """Show what happened to members, with the people as they are now."""
    people = people_by_id(event.subject_id for event in events)
    return {
        (event.stream_id, event.seq): MemberOut(
            user=people[event.subject_id],
            **cast(dict[str, Any], event.data),
        )
        for event in events
    }
