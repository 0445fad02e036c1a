"""Lists by number: which part of a stream a page shows, and how far it reaches."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Generic, Protocol, TypeVar

from django.db.models import QuerySet

from api.errors import InvalidRequest
from api.statements import Given, Rows


class Numbered(Protocol):
    """What has a place in a stream."""

    @property
    def seq(self) -> int:
        """Its number."""


Row = TypeVar("Row", bound=Numbered)


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


class Pages(Generic[Row]):
    """The pages of a list; ``rows`` and ``shape`` as of ``Rows``, a shape has a ``seq``."""

    def __init__(self, shape: Callable[..., Row], rows: Callable[[], QuerySet[Any, Any]]) -> None:
        self._older = Rows(shape, lambda: rows().filter(seq__lte=Given("ceiling")).order_by("-seq"))
        self._newer = Rows(
            shape,
            lambda: rows().filter(seq__gt=Given("floor"), seq__lte=Given("head")).order_by("seq"),
        )

    def page(self, window: Window, head: int, **given: Any) -> Page[Row]:
        """Return the page that a window shows, of the list as it stood at ``head``."""
        if window.after is not None:
            return self._after(min(window.after, head), window.limit, head, given)
        if window.around is not None:
            return self._around(min(window.around, head), window.limit, head, given)
        ceiling = head if window.before is None else max(min(window.before - 1, head), 0)
        return self._up_to(ceiling, window.limit, head, given)

    def _up_to(self, ceiling: int, limit: int, head: int, given: dict[str, Any]) -> Page[Row]:
        found = self._older.all(limit=limit + 1, ceiling=ceiling, **given)
        kept = found[:limit]
        more = len(found) > limit
        first = kept[-1].seq if more else 1
        return Page(kept[::-1], first, ceiling, head, has_more=more)

    def _after(self, floor: int, limit: int, head: int, given: dict[str, Any]) -> Page[Row]:
        found = self._newer.all(limit=limit + 1, floor=floor, head=head, **given)
        kept = found[:limit]
        more = len(found) > limit
        reached = kept[-1].seq if kept else floor
        return Page(kept, floor + 1, reached if more else head, head, has_more=more)

    def _around(self, middle: int, limit: int, head: int, given: dict[str, Any]) -> Page[Row]:
        older = self._up_to(middle, limit - limit // 2, head, given)
        newer = self._after(middle, limit // 2, head, given)
        return Page(
            older.items + newer.items,
            older.first,
            newer.last,
            head,
            has_more=older.has_more or newer.has_more,
        )
