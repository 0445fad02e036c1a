"""Reads of what was said."""

import struct
from collections.abc import Callable, Sequence
from typing import NamedTuple

from django.db import connection

from api.errors import InvalidRequest
from api.messages import queries as messages
from api.messages.schemas import MessageOut
from api.search import postgresql, sqlite
from api.search.excerpts import excerpt_of, score_of
from api.search.looking import Bound, Hit, Search
from api.search.schemas import Found, highlight

RANKED_MAX = 1_000  # the newest matches; to rank a million takes seconds

_NEWEST: dict[str, Callable[[Search, int, Bound | None], list[Hit]]] = {
    "postgresql": postgresql.newest,
    "sqlite": sqlite.newest,
}
_SCORE = struct.Struct(">d")


class Page(NamedTuple):
    """What was found, and where the next page begins: null when there is none."""

    items: list[Found]
    next_place: bytes | None


def newest(search: Search, size: int, after: bytes | None) -> Page:
    """Return a page, the newest first; to be read in one snapshot.

    Raises:
        InvalidRequest: the page before ended elsewhere.
    """
    hits = _newest(search, size + 1, None if after is None else Bound(after))
    return _page(search, hits, size)


def best(search: Search, size: int, after: bytes | None) -> Page:
    """Return a page of the newest 1,000, the best first; to be read in one snapshot.

    Those are the newest 1,000 of when the first page was read.

    Raises:
        InvalidRequest: the page before ended elsewhere.
    """
    newest_place, last = _ranked_place(after)
    bound = None if newest_place is None else Bound(newest_place, included=True)
    hits = _newest(search, RANKED_MAX, bound)
    texts = messages.texts([hit.message_id for hit in hits])
    ranked = sorted(
        ((score_of(texts[hit.message_id], search.wanted.terms), hit.place, hit) for hit in hits),
        reverse=True,
    )
    if last is not None:
        ranked = [item for item in ranked if item[:2] < last]
    if not ranked:
        return Page([], None)
    first = newest_place or max(hit.place for hit in hits)
    marked = [
        Hit(hit.message_id, bytes([len(first)]) + first + _SCORE.pack(score) + place)
        for score, place, hit in ranked[: size + 1]
    ]
    return _page(search, marked, size)


def _newest(search: Search, limit: int, bound: Bound | None) -> list[Hit]:
    if search.wanted.in_vain:
        return []
    return _NEWEST[connection.vendor](search, limit, bound)


def _ranked_place(after: bytes | None) -> tuple[bytes | None, tuple[float, bytes] | None]:
    if after is None:
        return None, None
    size = after[0] if after else 0
    newest_place, rest = after[1 : 1 + size], after[1 + size :]
    try:
        (score,) = _SCORE.unpack(rest[: _SCORE.size])
    except struct.error:
        raise InvalidRequest("The parameter 'cursor' is none of ours.") from None
    return newest_place, (score, rest[_SCORE.size :])


def _page(search: Search, hits: Sequence[Hit], size: int) -> Page:
    shown = hits[:size]
    found = messages.messages_as_seen((hit.message_id for hit in shown), search.user_id)
    seen = {message.id: message for message in found}
    items = [_found(seen[hit.message_id], search) for hit in shown]
    return Page(items, shown[-1].place if len(hits) > size else None)


def _found(message: MessageOut, search: Search) -> Found:
    excerpt = excerpt_of(message.text or "", search.wanted.terms)
    return Found(message=message, highlight=highlight(excerpt))
