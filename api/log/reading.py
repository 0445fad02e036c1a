"""Reads of the log: events as they were recorded."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any, NamedTuple

from django.db.models import QuerySet

from api.log.heads import head_given
from api.log.models import Event
from api.log.pages import Pages
from api.statements import Given, Rows, any_of, numbered


class Recorded(NamedTuple):
    """A row of the log; the fields are those of ``models.Event``."""

    stream_id: uuid.UUID
    seq: int
    type: str
    at: datetime
    actor_id: uuid.UUID | None
    subject_kind: str
    subject_id: Any  # an id, where there is a subject
    data: Any
    ends: dict[str, Any] | None


@dataclass(frozen=True)
class Range:
    """The events of a stream numbered above ``after``, up to and with ``to``.

    ``granted``: the head that the permission to see them was read at, if it was for one person.
    """

    stream: uuid.UUID
    after: int
    to: int
    granted: int = 0


class Ending(NamedTuple):
    """What an event ends."""

    stream_id: uuid.UUID
    seq: int
    ends: dict[str, Any]


STREAM = Pages(
    Recorded,
    lambda: Event.objects.filter(stream_id=Given("stream")).values_list(
        head_given("stream"), *Recorded._fields
    ),
)


def events_in(ranges: Sequence[Range]) -> list[Recorded]:
    """Return the events of these parts of streams, in one query, in order."""
    return _events_in(len(ranges)).all(**_given(ranges))


def endings_in(ranges: Sequence[Range]) -> list[Ending]:
    """Return what ends in these parts of streams, in one query, in order."""
    return _endings_in(len(ranges)).all(**_given(ranges))


def _given(ranges: Sequence[Range]) -> dict[str, Any]:
    parts = ((part.stream, part.after, part.to) for part in ranges)
    return numbered(parts, "stream", "after", "to")


@cache
def _events_in(count: int) -> Rows[Recorded]:
    return Rows(Recorded, lambda: _within(count).values_list(*Recorded._fields))


@cache
def _endings_in(count: int) -> Rows[Ending]:
    return Rows(
        Ending, lambda: _within(count).filter(ends__isnull=False).values_list(*Ending._fields)
    )


def _within(count: int) -> QuerySet[Event]:
    wanted = any_of(count, stream_id="stream", seq__gt="after", seq__lte="to")
    return Event.objects.filter(wanted).order_by("stream_id", "seq")
