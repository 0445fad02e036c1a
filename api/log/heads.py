"""How far streams are."""

import uuid

from django.db.models import OuterRef, Subquery

from api.log.models import Stream
from api.statements import Given, Rows

_head_of = Rows(int, lambda: Stream.objects.filter(pk=Given("stream")).values_list("last_seq"))


def head_of(stream: uuid.UUID) -> int:
    """Return the number of a stream's last event, 0 when there is none yet."""
    return _head_of.first(stream=stream) or 0


def head_given(name: str) -> Subquery:
    """Return the head of the stream that is given under this name, for the same use."""
    return Subquery(Stream.objects.filter(pk=Given(name)).values("last_seq"))


def head_at(column: str) -> Subquery:
    """Return the head of the stream that a column names, for use in a larger statement."""
    return Subquery(Stream.objects.filter(pk=OuterRef(column)).values("last_seq"))
