"""The record itself, changed behind the service's back: clocks moved, people erased."""

import contextlib
import sqlite3
import uuid
from datetime import UTC, datetime, timedelta

import psycopg

from api.search.index import WORDS
from api.search.words import searchable
from tests.servers import World


def change(world: World, statement: str, *values: str | uuid.UUID) -> None:
    """Run one statement, with ``%s`` for each value, on the database of a world."""
    if world.postgres_url:
        with psycopg.connect(world.postgres_url) as postgres:
            postgres.execute(statement.encode(), values)
        return
    plain = [value.hex if isinstance(value, uuid.UUID) else value for value in values]
    with contextlib.closing(sqlite3.connect(world.folder / "gapless.sqlite3")) as sqlite, sqlite:
        sqlite.create_function(WORDS, 1, searchable, deterministic=True)  # the triggers call it
        sqlite.execute(statement.replace("%s", "?"), plain)


def in_seconds(seconds: float) -> str:
    """Return a time as both databases read it; negative is ago."""
    return (datetime.now(UTC) + timedelta(seconds=seconds)).isoformat(" ", "microseconds")
