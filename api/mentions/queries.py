"""Reads of mentions: whom texts name, in one query for all of them."""

import uuid
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from django.db.models import FilteredRelation, Q

from accounts.models import User
from accounts.schemas import PERSON_COLUMNS, Person
from api.mentions.parsing import Place, named, places, strangers
from api.mentions.schemas import Mention, NotInRoom
from api.statements import Rows, among


class Said(NamedTuple):
    """A text, and the room that it is said in."""

    room_id: uuid.UUID
    text: str


class Resolved(NamedTuple):
    """Whom a text names of those in its room, and which others it seems to mean."""

    mentions: list[Mention]
    warnings: list[NotInRoom]


NOBODY = Resolved([], [])

_called = Rows(
    lambda room_id, *columns: (room_id, Person(*columns)),
    lambda: (
        User.objects.annotate(
            here=FilteredRelation(
                "memberships", condition=Q(among("memberships__room", "room_ids"))
            )
        )
        .filter(among("username", "names"), erased_at=None)
        .values_list("here__room_id", *PERSON_COLUMNS)
    ),
)


def resolved(said: Sequence[Said]) -> list[Resolved]:
    """Return whom each of these texts names: one query, none where no text can name anybody.

    What is true of memberships is what was so when it was asked: lock the rooms first.
    """
    found = [places(item.text) if "@" in item.text else [] for item in said]
    names = {name for spots in found for spot in spots for name, _ in spot.names}
    if not names:
        return [NOBODY] * len(said)
    people: dict[str, Person] = {}
    members: dict[uuid.UUID, dict[str, uuid.UUID]] = {item.room_id: {} for item in said}
    for room_id, person in _called.all(room_ids=list(members), names=list(names)):
        username = person.username or ""
        people[username] = person
        if room_id is not None:
            members[room_id][username] = person.id
    return [
        _resolved(spots, members[item.room_id], people)
        for item, spots in zip(said, found, strict=True)
    ]


def _resolved(
    spots: Sequence[Place], members: Mapping[str, uuid.UUID], people: Mapping[str, Person]
) -> Resolved:
    return Resolved(
        [
            Mention("room" if user_id is None else "user", user_id, offset, length)
            for user_id, offset, length in named(spots, members)
        ],
        [NotInRoom(people[name]) for name in strangers(spots, members, people)],
    )
