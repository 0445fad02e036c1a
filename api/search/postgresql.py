"""Searching in PostgreSQL: a generated ``tsvector`` with a GIN index, both made by a migration.

The index knows every message with a word, but not which is the newest. So what is common and
what is rare go two ways (docs/decisions/0019): the newest messages are looked through one by
one, so many and no more; only when too few of them match, all that match are fetched from the
index and sorted, which are not many then. Rooms and senders are words of the index, too.
"""

import struct
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

from django.db import connection

from api.errors import InvalidRequest
from api.search.looking import Bound, Hit, Search
from api.search.wanted import Term, Wanted

LOOKED_THROUGH = 10_000  # newest messages, in about 15 ms
ROOMS_MAX = 10  # as words of a question: each takes longer than to leave out what is of others

_PLACE = struct.Struct(">QQ16s")  # milliseconds since 1970 and seq, both shifted; the room
_SHIFT = 2**63
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)

# Where a name in braces stands there is SQL of ours; values go in as parameters. ``far`` asks
# for words alone: else PostgreSQL may read the whole index of rooms or times beside that of words.
_STATEMENT = """
WITH mine AS MATERIALIZED (
  SELECT room_id FROM api_member WHERE user_id = %(user)s{room}
), asked AS MATERIALIZED (
  SELECT {query} AS words, (
    SELECT CASE WHEN count(*) <= %(rooms_max)s
      THEN string_agg('''@room ' || room_id::text || '''', '|')::tsquery ELSE ''::tsquery END
    FROM mine
  ) AS rooms
), near AS MATERIALIZED (
  SELECT id, created_at, seq, room_id FROM (
    SELECT id, created_at, seq, room_id, words FROM api_message WHERE {bounds}
    ORDER BY created_at DESC, seq DESC, room_id DESC LIMIT %(looked_through)s
  ) AS newest
  WHERE words @@ (SELECT words FROM asked) AND room_id = ANY (ARRAY(SELECT room_id FROM mine))
  ORDER BY created_at DESC, seq DESC, room_id DESC LIMIT %(limit)s
), far AS MATERIALIZED (
  SELECT id, created_at, seq, room_id FROM api_message
  WHERE words @@ (SELECT words && rooms FROM asked)
)
SELECT id, created_at, seq, room_id FROM near WHERE (SELECT count(*) FROM near) >= %(limit)s
UNION ALL
SELECT id, created_at, seq, room_id FROM far WHERE (SELECT count(*) FROM near) < %(limit)s
  AND room_id = ANY (ARRAY(SELECT room_id FROM mine)) AND {bounds}
ORDER BY created_at DESC, seq DESC, room_id DESC LIMIT %(limit)s
"""


def newest(search: Search, limit: int, bound: Bound | None = None) -> list[Hit]:
    """Return the newest messages that match, in one statement with the membership.

    Raises:
        InvalidRequest: the bound is no place.
    """
    given: dict[str, Any] = {
        "user": search.user_id,
        "limit": limit,
        "looked_through": LOOKED_THROUGH,
        "rooms_max": ROOMS_MAX,
    }
    room = ""
    if search.room_id is not None:
        room, given["room"] = " AND room_id = %(room)s", search.room_id
    bounds = " AND ".join(_bounds(search, bound, given)) or "true"
    query = _query(search, given)
    statement = _STATEMENT.format(query=query, room=room, bounds=bounds)
    with connection.cursor() as cursor:
        cursor.execute(statement, given)
        return [Hit(row[0], _place(*row[1:])) for row in cursor.fetchall()]


def _query(search: Search, given: dict[str, Any]) -> str:
    """Return the SQL of the ``tsquery``; what PostgreSQL sees no word in excludes nothing."""
    parts = list(_terms(search.wanted, given))
    facets = {"from": search.sender_id, "has": search.has}
    for name, value in facets.items():
        if value is not None:
            given[f"facet_{name}"] = f"'@{name} {value}'"
            parts.append(f"%(facet_{name})s::tsquery")
    return " && ".join(parts) or "''::tsquery"


def _terms(wanted: Wanted, given: dict[str, Any]) -> Iterator[str]:
    for number, term in enumerate(wanted.terms):
        yield _term(f"term{number}", term, given)
    for number, term in enumerate(wanted.not_terms):
        yield f"coalesce(!!{_term(f'not{number}', term, given)}, ''::tsquery)"


def _term(name: str, term: Term, given: dict[str, Any]) -> str:
    given[name] = term.text
    query = f"phraseto_tsquery('pg_catalog.simple', api_search_words(%({name})s))"
    words = f"nullif({query}::text, '')"
    return f"({words} || ':*')::tsquery" if term.prefix else f"{words}::tsquery"


def _bounds(search: Search, bound: Bound | None, given: dict[str, Any]) -> Iterator[str]:
    if search.since is not None:
        given["since"] = search.since
        yield "created_at >= %(since)s"
    if search.until is not None:
        given["until"] = search.until
        yield "created_at < %(until)s"
    if bound is not None:
        given["at"], given["seq"], given["in_room"] = _key(bound.place)
        comparison = "<=" if bound.included else "<"
        yield f"(created_at, seq, room_id) {comparison} (%(at)s, %(seq)s, %(in_room)s)"


def _place(created_at: datetime, seq: int, room_id: uuid.UUID) -> bytes:
    milliseconds = (created_at - _EPOCH) // _MILLISECOND
    return _PLACE.pack(milliseconds + _SHIFT, seq + _SHIFT, room_id.bytes)


def _key(place: bytes) -> tuple[datetime, int, uuid.UUID]:
    try:
        milliseconds, seq, room = _PLACE.unpack(place)
        moment = _EPOCH + (milliseconds - _SHIFT) * _MILLISECOND
    except (struct.error, OverflowError):
        raise InvalidRequest("The parameter 'cursor' is none of ours.") from None
    return moment, seq - _SHIFT, uuid.UUID(bytes=room)
