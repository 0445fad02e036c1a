"""Inserts and updates whose SQL is spelled out once for the life of the process.

As ``statements`` does for queries: what runs often is not put together anew each time.
"""

import uuid
from collections.abc import Iterable, Sequence
from functools import cached_property, lru_cache
from typing import Any

from django.db.models import Model

from api.cursors import adapted, binding_cursor
from api.statements import database_here, identity


class Insertion:
    """An ``INSERT`` of these columns, of any number of rows at once; the first is the id."""

    def __init__(self, model: type[Model], *columns: str) -> None:
        self._model, self._columns = model, columns

    def run(self, rows: Sequence[tuple[Any, ...]]) -> None:
        """Insert the rows; each has its values in the order of the columns.

        Raises:
            IntegrityError: one of them may not be there.
        """
        self._insert(rows, "")

    def run_if_new(self, rows: Sequence[tuple[Any, ...]]) -> set[uuid.UUID]:
        """Insert those rows that no unique constraint forbids; return their ids."""
        kept = self._insert(rows, f' ON CONFLICT DO NOTHING RETURNING "{self._columns[0]}"')
        return {identity(stored) for (stored,) in kept}

    def _insert(self, rows: Sequence[tuple[Any, ...]], tail: str) -> list[tuple[Any, ...]]:
        database = database_here()
        step = (database.features.max_query_params or 60_000) // len(self._columns)
        found: list[tuple[Any, ...]] = []
        for start in range(0, len(rows), step):
            part = rows[start : start + step]
            values = adapted((value for row in part for value in row), database)
            with binding_cursor(database) as (cursor, place):
                places = _rows_of(place, len(self._columns), len(part))
                cursor.execute(self._head + places + tail, values)
                found += cursor.fetchall() if tail else ()
        return found

    @cached_property
    def _head(self) -> str:
        names = ", ".join(f'"{name}"' for name in _names(self._model, self._columns))
        table = self._model._meta.db_table
        return f'INSERT INTO "{table}" ({names}) VALUES '  # noqa: S608  names of ours


class Change:
    """An ``UPDATE`` of these columns, of several rows at once; ``key`` finds each of them."""

    def __init__(self, model: type[Model], *columns: str, key: Sequence[str]) -> None:
        self._model, self._columns, self._key = model, columns, key

    def run(self, rows: Sequence[tuple[Any, ...]]) -> None:
        """Change the rows; each has the values of its key, then of the columns, none NULL."""
        database = database_here()
        values = adapted((value for row in rows for value in row), database)
        with binding_cursor(database) as (cursor, place):
            places = _rows_of(place, len(self._key) + len(self._columns), len(rows))
            cursor.execute(self._statement.format(places), values)

    @cached_property
    def _statement(self) -> str:
        table = self._model._meta.db_table
        names = _names(self._model, (*self._key, *self._columns))
        given = [f"given.column{number}" for number in range(1, len(names) + 1)]
        pairs = list(zip(names, given, strict=True))
        changed = ", ".join(f'"{name}" = {value}' for name, value in pairs[len(self._key) :])
        found = " AND ".join(
            f'"{table}"."{name}" = {value}' for name, value in pairs[: len(self._key)]
        )
        return f'UPDATE "{table}" SET {changed} FROM (VALUES {{}}) AS given WHERE {found}'  # noqa: S608  names of ours


def _names(model: type[Model], fields: Iterable[str]) -> list[str]:
    found: list[Any] = [model._meta.get_field(name) for name in fields]
    return [field.column for field in found]


@lru_cache(128)
def _rows_of(place: str, columns: int, rows: int) -> str:
    numbers = iter(range(1, columns * rows + 1))
    return ", ".join(
        f"({', '.join(place.format(next(numbers)) for _ in range(columns))})" for _ in range(rows)
    )
