"""The index of SQLite: tables and triggers, which every ``migrate`` looks after.

A migration that changes ``api_message`` may build the table anew, and then Django drops the
triggers without a word; or it stumbles over them. So what keeps the index is no migration: the
triggers go before migrations of ours, and come back after them.
(PostgreSQL's index belongs to the column that a migration has made.)
"""

import sqlite3
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from django.db import connections, transaction

from api.search.words import searchable

PLACES = 1 << 20  # within a millisecond
SECURE_DELETE_SINCE = (3, 42)  # FTS5 takes deleted words out of its pages at once

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECONDS_MAX = 8_000_000_000_000  # what 63 bits hold of them: from 1716 to 2223

# The function's name has a version: one that finds other words gets another, and so a new index.
WORDS = "api_search_words_2"
_TABLES = {
    "api_searchplace": """CREATE TABLE api_searchplace (
  place INTEGER PRIMARY KEY, message_id CHAR(32) NOT NULL UNIQUE
)""",
    "api_searchwords": """CREATE VIRTUAL TABLE api_searchwords USING fts5(
  words, facets, tokenize = 'ascii'
)""",
}
_LINK = " OR ".join(
    f"{{0}}.text GLOB '*{scheme}://[^ ' || char(9, 10, 13) || ']*'"
    for scheme in ("[hH][tT][tT][pP]", "[hH][tT][tT][pP][sS]")
)
_FACETS = (
    "'room' || {0}.room_id || ' from' || {0}.sender_id"
    f" || CASE WHEN {_LINK} THEN ' haslink' ELSE '' END"
    " || CASE WHEN {0}.attachments IS NOT NULL THEN ' hasfile' ELSE '' END"
    " || CASE WHEN EXISTS (SELECT 1 FROM json_each({0}.attachments)"
    " WHERE json_extract(value, '$.content_type') LIKE 'image/%') THEN ' hasimage' ELSE '' END"
)
_LOWEST = (
    f"max(-{_MILLISECONDS_MAX}, min({_MILLISECONDS_MAX},"
    " CAST(strftime('%s', {0}.created_at) AS INTEGER) * 1000"
    " + CAST(substr(strftime('%f', {0}.created_at), 4) AS INTEGER)"
    f")) * {PLACES}"
)
_PLACE = "(SELECT place FROM api_searchplace WHERE message_id = {0}.id)"
_TAKE_PLACE = f"""INSERT INTO api_searchplace (place, message_id) SELECT coalesce(
    (SELECT max(place) + 1 FROM api_searchplace
     WHERE place BETWEEN {_LOWEST} AND {_LOWEST} + {PLACES - 1}), {_LOWEST}
  ), {{0}}.id"""
_TAKE_WORDS = f"""INSERT INTO api_searchwords (rowid, words, facets)
  SELECT {_PLACE}, {WORDS}({{0}}.text), {_FACETS} WHERE {{0}}.text IS NOT NULL"""
_DROP_WORDS = f"DELETE FROM api_searchwords WHERE rowid = {_PLACE}"
_ALL_PLACES = f"""INSERT INTO api_searchplace (place, message_id)
SELECT {_LOWEST.format("message")} - 1 + row_number() OVER (
  PARTITION BY {_LOWEST.format("message")} ORDER BY created_at, seq, room_id
), id FROM api_message AS message"""
_ALL_WORDS = f"""INSERT INTO api_searchwords (rowid, words, facets)
SELECT place, {WORDS}(message.text), {_FACETS.format("message")}
FROM api_searchplace JOIN api_message AS message ON message.id = message_id
WHERE message.text IS NOT NULL ORDER BY place"""
_COLUMNS = {"text", "attachments"}  # the newest of those that the triggers read
_TRIGGERS = {
    "api_search_insert": f"""CREATE TRIGGER api_search_insert AFTER INSERT ON api_message BEGIN
  {_TAKE_PLACE.format("new")};
  {_TAKE_WORDS.format("new")};
END""",
    "api_search_update": f"""CREATE TRIGGER api_search_update AFTER UPDATE ON api_message
WHEN old.text IS NOT new.text OR old.attachments IS NOT new.attachments BEGIN
  {_DROP_WORDS.format("old")};
  {_TAKE_WORDS.format("new")};
END""",
    "api_search_delete": f"""CREATE TRIGGER api_search_delete AFTER DELETE ON api_message BEGIN
  {_DROP_WORDS.format("old")};
  DELETE FROM api_searchplace WHERE message_id = old.id;
END""",
}


def lowest_place(moment: datetime) -> int:
    """Return the first place of a message of this time."""
    milliseconds = (moment - _EPOCH) // timedelta(milliseconds=1)
    return max(-_MILLISECONDS_MAX, min(_MILLISECONDS_MAX, milliseconds)) * PLACES


def connected(connection: Any, **_: Any) -> None:
    """Receive ``connection_created``: the triggers cut texts into words by a function of ours."""
    if connection.vendor == "sqlite":
        connection.connection.create_function(WORDS, 1, searchable, deterministic=True)


def set_aside(using: str, plan: Sequence[tuple[Any, bool]], **_: Any) -> None:
    """Receive ``pre_migrate``: take the triggers away where a table of ours may change."""
    connection = connections[using]
    if connection.vendor == "sqlite" and any(step.app_label == "api" for step, _ in plan):
        with transaction.atomic(using), connection.cursor() as cursor:
            for name in _TRIGGERS:
                cursor.execute(f"DROP TRIGGER IF EXISTS {name}")


def restored(using: str, **_: Any) -> None:
    """Receive ``post_migrate``: have tables and triggers as they should be, and all indexed."""
    connection = connections[using]
    if connection.vendor != "sqlite":
        return
    wanted = _TABLES | _TRIGGERS
    with transaction.atomic(using), connection.cursor() as cursor:
        cursor.execute("SELECT name FROM pragma_table_info('api_message')")
        if not {name for (name,) in cursor.fetchall()} >= _COLUMNS:
            return  # it was migrated to an earlier state
        cursor.execute("SELECT name, sql FROM sqlite_master WHERE name LIKE 'api_search%'")
        there = {name: sql for name, sql in cursor.fetchall() if name in wanted}
        if there != wanted:
            _rebuild(cursor, there)
        if sqlite3.sqlite_version_info >= SECURE_DELETE_SINCE:
            cursor.execute(
                "INSERT INTO api_searchwords (api_searchwords, rank) VALUES ('secure-delete', 1)"
            )


def _rebuild(cursor: Any, there: dict[str, str]) -> None:
    for name in sorted(there, key=list(_TRIGGERS).__contains__, reverse=True):
        cursor.execute(f"DROP {'TRIGGER' if name in _TRIGGERS else 'TABLE'} {name}")
    for sql in _TABLES.values():
        cursor.execute(sql)
    cursor.execute(_ALL_PLACES)
    cursor.execute(_ALL_WORDS)
    for sql in _TRIGGERS.values():
        cursor.execute(sql)
