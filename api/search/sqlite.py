"""Searching in SQLite: an FTS5 index that triggers keep.

Each message has a ``place``: the milliseconds of its time and a number within them. Under it
the words stand in the index, which reads its matches from the newest on as far as is asked.
"""

import struct
import uuid
from collections.abc import Iterator
from typing import Any

from django.db import connection

from api.cursors import adapted
from api.errors import InvalidRequest
from api.search.index import PLACES, lowest_place
from api.search.looking import Bound, Hit, Search
from api.search.wanted import Term

ROOMS_MAX = 500  # of one person as words of a question; with more it is asked without

_PLACE = struct.Struct(">Q")  # shifted, so that bytes sort as places do
_SHIFT = 2**63

_STATEMENT = """
SELECT message.id, found.rowid FROM api_searchwords AS found
CROSS JOIN api_searchplace AS place ON place.place = found.rowid
CROSS JOIN api_message AS message ON message.id = place.message_id
WHERE found.api_searchwords MATCH %s AND message.room_id IN (
  SELECT room_id FROM api_member WHERE user_id = %s
){conditions}
ORDER BY found.rowid DESC LIMIT %s
"""


def newest(search: Search, limit: int, bound: Bound | None = None) -> list[Hit]:
    """Return the newest messages that match, in one statement with the membership.

    Raises:
        InvalidRequest: the bound is no place.
    """
    conditions = list(_conditions(search, bound))
    statement = _STATEMENT.format(conditions="".join(f" AND {sql}" for sql, _ in conditions))
    with connection.cursor() as cursor:
        rooms = _rooms(cursor, search)
        if not rooms:
            return []
        values = [_match(search, rooms), search.user_id, *(value for _, value in conditions), limit]
        cursor.execute(statement, adapted(values, connection))
        rows = cursor.fetchall()
    return [Hit(uuid.UUID(message_id), _PLACE.pack(place + _SHIFT)) for message_id, place in rows]


def _rooms(cursor: Any, search: Search) -> list[str]:
    if search.room_id is not None:
        return [search.room_id.hex]
    sql = "SELECT room_id FROM api_member WHERE user_id = %s"
    cursor.execute(sql, [search.user_id.hex])
    return [room_id for (room_id,) in cursor.fetchall()]


def _match(search: Search, rooms: list[str]) -> str:
    """Return the question in the language of FTS5; its words have letters and digits alone."""
    facets = []
    if len(rooms) <= ROOMS_MAX or not search.wanted.terms:
        facets.append(f"({' OR '.join(f'room{room}' for room in rooms)})")
    if search.sender_id is not None:
        facets.append(f"from{search.sender_id.hex}")
    if search.has is not None:
        facets.append(f"has{search.has}")
    question = " AND ".join([*_terms(search.wanted.terms), *(f"facets : {it}" for it in facets)])
    if search.wanted.not_terms:
        question = f"({question}) NOT ({' OR '.join(_terms(search.wanted.not_terms))})"
    return question


def _terms(terms: tuple[Term, ...]) -> Iterator[str]:
    for term in terms:
        yield f'words : "{" ".join(term.forms)}"{" *" if term.prefix else ""}'


def _conditions(search: Search, bound: Bound | None) -> Iterator[tuple[str, Any]]:
    if search.since is not None:
        yield "found.rowid >= %s", lowest_place(search.since)
        yield "message.created_at >= %s", search.since
    if search.until is not None:
        yield "found.rowid < %s", lowest_place(search.until) + PLACES
        yield "message.created_at < %s", search.until
    if bound is not None:
        yield f"found.rowid {'<=' if bound.included else '<'} %s", _key(bound.place)


def _key(place: bytes) -> int:
    try:
        (found,) = _PLACE.unpack(place)
    except struct.error:
        raise InvalidRequest("The parameter 'cursor' is none of ours.") from None
    return int(found) - _SHIFT
