"""Reads of the log: events as they were recorded."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any, NamedTuple

from django.db.models import Q

from api.log.heads import head_given
from api.log.models import Event
from api.log.pages import Pages
from api.statements import Given, Rows


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
    """The events of a stream numbered above ``after``, up to and with ``to``."""

    stream: uuid.UUID
    after: int
    to: int


STREAM = Pages(
    Recorded,
    lambda: Event.objects.filter(stream_id=Given("stream")).values_list(
        head_given("stream"), *Recorded._fields
    ),
)


def events_in(ranges: Sequence[Range]) -> list[Recorded]:
    """Return the events of these parts of streams, in one query, in order."""
    given: dict[str, Any] = {}
    for place, part in enumerate(ranges):
        given |= {f"stream{place}": part.stream, f"after{place}": part.after, f"to{place}": part.to}
    return _events_in(len(ranges)).all(**given)


@cache
def _events_in(count: int) -> Rows[Recorded]:
    wanted = Q()
    for place in range(count):
        wanted |= Q(
            stream_id=Given(f"stream{place}"),
            seq__gt=Given(f"after{place}"),
            seq__lte=Given(f"to{place}"),
        )
    rows = Event.objects.filter(wanted).order_by("stream_id", "seq")
    return Rows(Recorded, lambda: rows.values_list(*Recorded._fields))
