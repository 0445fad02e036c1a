"""Lists by number: which part of a stream a page shows, and how far it reaches."""

from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from django.db.models import Model, QuerySet

from api.errors import InvalidRequest

Row = TypeVar("Row", bound=Model)


@dataclass(frozen=True)
class Window:
    """What is asked for: at most one of the three; none of them is the newest page.

    ``before`` and ``after`` are exclusive, ``around`` is inclusive.
    """

    limit: int
    before: int | None = None
    after: int | None = None
    around: int | None = None

    def __post_init__(self) -> None:
        if sum(bound is not None for bound in (self.before, self.after, self.around)) > 1:
            raise InvalidRequest("At most one of before, after and around.")


@dataclass(frozen=True)
class Page(Generic[Row]):
    """Everything of its kind numbered ``first`` to ``last``, as it stood at ``head``."""

    items: list[Row]
    first: int
    last: int
    head: int
    has_more: bool

    def bounds(self) -> dict[str, Any]:
        """Return what an answer says beside its items."""
        return {
            "first": self.first,
            "last": self.last,
            "head": self.head,
            "has_more": self.has_more,
        }


def page(rows: QuerySet[Row], window: Window, head: int) -> Page[Row]:
    """Return the page of ``rows`` (which have a ``seq``) that a window shows."""
    if window.after is not None:
        return _newer(rows, min(window.after, head), window.limit, head)
    if window.around is not None:
        return _around(rows, window.around, window.limit, head)
    ceiling = head if window.before is None else max(min(window.before - 1, head), 0)
    return _older(rows, ceiling, window.limit, head)


def _older(rows: QuerySet[Row], ceiling: int, limit: int, head: int) -> Page[Row]:
    found = list(rows.filter(seq__lte=ceiling).order_by("-seq")[: limit + 1])
    kept = found[:limit]
    more = len(found) > limit
    first = _seq(kept[-1]) if more else 1
    return Page(kept[::-1], first, ceiling, head, has_more=more)


def _newer(rows: QuerySet[Row], floor: int, limit: int, head: int) -> Page[Row]:
    found = list(rows.filter(seq__gt=floor, seq__lte=head).order_by("seq")[: limit + 1])
    kept = found[:limit]
    more = len(found) > limit
    reached = _seq(kept[-1]) if kept else floor
    return Page(kept, floor + 1, reached if more else head, head, has_more=more)


def _around(rows: QuerySet[Row], middle: int, limit: int, head: int) -> Page[Row]:
    middle = min(middle, head)
    older = _older(rows, middle, limit - limit // 2, head)
    newer = _newer(rows, middle, limit // 2, head)
    return Page(
        older.items + newer.items,
        older.first,
        newer.last,
        head,
        has_more=older.has_more or newer.has_more,
    )


def _seq(row: Any) -> int:
    return int(row.seq)
