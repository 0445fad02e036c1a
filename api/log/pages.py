"""Lists by number: which part of a stream a page shows, and how far it reaches."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from operator import attrgetter
from typing import Any, Generic, Protocol, TypeVar

from django.db.models import QuerySet

from api.codec import INTEGER_MAX, encode
from api.errors import InvalidRequest
from api.log.snapshot import snapshot
from api.rest import Query
from api.statements import Given, Rows


class Numbered(Protocol):
    """What has a place in a stream."""

    @property
    def seq(self) -> int:
        """Its number."""


Row = TypeVar("Row", bound=Numbered)

PAGE_BYTES_MAX = 1024 * 1024  # of an answer: a server keeps it for who reads slowly


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


def window_of(query: Query) -> Window:
    """Read the window that ``openapi.WINDOWED`` describes.

    Raises:
        InvalidRequest: more than one of its bounds, or one that is no number.
    """
    return Window(
        limit=query.limit(),
        before=query.number("before"),
        after=query.number("after"),
        around=query.number("around"),
    )


def _distance(window: Window, item: Numbered) -> int:
    """How far an item is from where a page is asked from."""
    if window.around is not None:
        return abs(item.seq - window.around)
    return item.seq if window.after is not None else -item.seq


@dataclass(frozen=True)
class Page(Generic[Row]):
    """Everything of its kind numbered ``first`` to ``last``, as it stood at ``head``."""

    items: list[Row]
    first: int
    last: int
    head: int
    has_more: bool

    def encoded(self, window: Window, show: "Callable[[Page[Row]], Any]") -> bytes:
        """Return what is shown of the page as JSON: of all of it, or of what is not too much."""
        content = encode(show(self))
        if len(content) <= PAGE_BYTES_MAX:
            return content
        return encode(show(self.cut(window, PAGE_BYTES_MAX)))

    def cut(self, window: Window, bytes_max: int) -> "Page[Row]":
        """Return the part next to where it was asked from that has so many bytes; at least one."""
        kept: list[Row] = []
        size = 0
        for item in sorted(self.items, key=partial(_distance, window)):
            size += len(encode(item)) + 1  # and a comma
            if kept and size > bytes_max:
                break
            kept.append(item)
        kept.sort(key=attrgetter("seq"))
        return replace(
            self,
            items=kept,
            first=self.first if kept[0] is self.items[0] else kept[0].seq,
            last=self.last if kept[-1] is self.items[-1] else kept[-1].seq,
            has_more=self.has_more or len(kept) < len(self.items),
        )

    def bounds(self) -> dict[str, Any]:
        """Return what an answer says beside its items."""
        return {
            "first": self.first,
            "last": self.last,
            "head": self.head,
            "has_more": self.has_more,
        }


class Pages(Generic[Row]):
    """The pages of a list by number.

    ``rows`` is its query: the first column is the head of the stream (``heads.head_given``),
    of the others ``shape`` makes an item.
    """

    def __init__(self, shape: Callable[..., Row], rows: Callable[[], QuerySet[Any, Any]]) -> None:
        def at(head: int | None, *columns: Any) -> tuple[int, Row]:
            return head or 0, shape(*columns)

        up_to, above = {"seq__lte": Given("ceiling")}, {"seq__gt": Given("floor")}
        self._older = Rows(at, lambda: rows().filter(**up_to).order_by("-seq"))
        self._newer = Rows(at, lambda: rows().filter(**up_to, **above).order_by("seq"))

    def read(self, window: Window, find_head: Callable[[], int], **given: Any) -> Page[Row]:
        """Return the page that a window shows, as it stood at one moment; not within a snapshot.

        One statement, unless there is nothing to show.

        Raises:
            ChatError: what ``find_head`` raises, for whom the query has no rows.
        """
        if window.around is None:
            found = self._found(window, INTEGER_MAX, given)
            if found:
                return self._page(window, found, found[0][0])
        with snapshot():
            return self.page(window, find_head(), **given)

    def page(self, window: Window, head: int, **given: Any) -> Page[Row]:
        """Return the page of the list as it stood at ``head``; to be read in one snapshot."""
        if window.around is not None:
            return self._around(min(window.around, head), window.limit, head, given)
        return self._page(window, self._found(window, head, given), head)

    def _found(self, window: Window, head: int, given: dict[str, Any]) -> list[tuple[int, Row]]:
        """Return what is asked for, and one more where there is more."""
        limit = window.limit + 1
        if window.after is not None:
            return self._newer.all(limit=limit, floor=window.after, ceiling=head, **given)
        return self._older.all(limit=limit, ceiling=_ceiling(window, head), **given)

    def _page(self, window: Window, found: list[tuple[int, Row]], head: int) -> Page[Row]:
        kept = [item for _, item in found[: window.limit]]
        more = len(found) > window.limit
        if window.after is None:
            ceiling = _ceiling(window, head)
            return Page(kept[::-1], kept[-1].seq if more else 1, ceiling, head, has_more=more)
        floor = min(window.after, head)
        reached = kept[-1].seq if kept else floor
        return Page(kept, floor + 1, reached if more else head, head, has_more=more)

    def _around(self, middle: int, limit: int, head: int, given: dict[str, Any]) -> Page[Row]:
        older = self.page(Window(limit - limit // 2, before=middle + 1), head, **given)
        newer = self.page(Window(limit // 2, after=middle), head, **given)
        return Page(
            older.items + newer.items,
            older.first,
            newer.last,
            head,
            has_more=older.has_more or newer.has_more,
        )


def _ceiling(window: Window, head: int) -> int:
    return head if window.before is None else max(min(window.before - 1, head), 0)
