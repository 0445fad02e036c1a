"""Queries, inserts and updates whose SQL is spelled out once for the life of the process.

The ORM takes about a millisecond to spell a query out, ten times what the database takes to
answer it (docs/decisions/0010). What runs often is written with the ORM as ever, with
``Given`` in the places of its parameters, and only filled in when it runs.
"""

import uuid
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from functools import cached_property, lru_cache
from typing import Any, Generic, NamedTuple, TypeVar

from django.db import DEFAULT_DB_ALIAS, connections
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import Expression, F, Model, Q, QuerySet
from django.db.models.lookups import In
from django.db.models.query import ModelIterable
from psycopg import RawCursor
from typing_extensions import override

LIST_MAX = 10_000  # in one statement: drivers take 32,766 or 65,535 parameters

Shape = TypeVar("Shape")
Instance = TypeVar("Instance", bound=Model)
Build = Callable[[], QuerySet[Any, Any]]


class Given(Expression):
    """A place in a query."""

    def __init__(self, name: str) -> None:
        super().__init__()
        self.name = name

    @override
    def as_sql(self, compiler: Any, connection: Any) -> Any:
        return "%s", [self]


def among(column: str, name: str) -> In:
    """Return the condition that a column is in the list that is given under this name."""
    return In(F(column), [Given(name)])


def any_of(count: int, **names: str) -> Q:
    """Return the condition that one of so many alternatives holds: lookups, with their names.

    What is given for them is made by ``numbered``.
    """
    wanted = Q()
    for number in range(count):
        wanted |= Q(**{lookup: Given(f"{name}{number}") for lookup, name in names.items()})
    return wanted


def numbered(alternatives: Iterable[Sequence[Any]], *names: str) -> dict[str, Any]:
    """Return what is given for alternatives, each the values in the order of the names."""
    return {
        f"{name}{number}": value
        for number, values in enumerate(alternatives)
        for name, value in zip(names, values, strict=True)
    }


class _Spelled(NamedTuple):
    """A query's SQL, cut at the places of its parameters; ``compiler`` knows its columns."""

    pieces: list[str]
    parameters: Sequence[Any]
    compiler: Any
    converters: list[tuple[int, list[Callable[..., Any]], Any]]


class _Spelling:
    """Spells a query out when it first runs."""

    def __init__(self, build: Build) -> None:
        self._build = build
        self._by_vendor: dict[str, _Spelled] = {}

    def spelled(self, database: BaseDatabaseWrapper) -> _Spelled:
        found = self._by_vendor.get(database.vendor)
        if found is None:
            compiler: Any = self._build().query.get_compiler(connection=database)
            sql, parameters = compiler.as_sql()
            columns = [column for column, _, _ in compiler.select[: compiler.col_count]]
            converters = compiler.get_converters(columns).items()
            found = self._by_vendor[database.vendor] = _Spelled(
                sql.split("%s"),
                parameters,
                compiler,
                [(place, convert, column) for place, (convert, column) in converters],
            )
        return found

    def fetched(
        self, database: BaseDatabaseWrapper, given: dict[str, Any], limit: int | None
    ) -> list[tuple[Any, ...]]:
        """Run the query; its columns come as the driver gives them."""
        pieces, parameters, _, _ = self.spelled(database)
        sql = [pieces[0]]
        values: list[Any] = []
        with _binding_cursor(database) as (cursor, place):
            for parameter, piece in zip(parameters, pieces[1:], strict=True):
                value = given[parameter.name] if isinstance(parameter, Given) else parameter
                several = value if isinstance(value, list) else [value]
                first = len(values) + 1
                values += several
                places = [place.format(number) for number in range(first, len(values) + 1)]
                sql += (", ".join(places) or "NULL", piece)
            if limit is not None:
                sql.append(f" LIMIT {limit:d}")
            cursor.execute("".join(sql), adapted(values, database))
            found: list[tuple[Any, ...]] = cursor.fetchall()
            return found


class Rows(_Spelling, Generic[Shape]):
    """A query of columns (``values_list``); ``shape`` is called with those of each row."""

    def __init__(self, shape: Callable[..., Shape], build: Build) -> None:
        super().__init__(build)
        self._shape = shape

    def all(self, *, limit: int | None = None, **given: Any) -> list[Shape]:
        """Run it; return every row, or the first ``limit``."""
        database = _database()
        rows: Iterable[Sequence[Any]] = self.fetched(database, given, limit)
        converters = self.spelled(database).converters
        if converters:
            rows = _converted(rows, converters, database)
        shape = self._shape
        return [shape(*row) for row in rows]

    def first(self, **given: Any) -> Shape | None:
        """Run it; return the first row, None when there is none."""
        found = self.all(limit=1, **given)
        return found[0] if found else None


def _converted(
    rows: Iterable[Sequence[Any]], converters: Sequence[Any], database: BaseDatabaseWrapper
) -> Iterator[Sequence[Any]]:
    """Turn columns into Python where the driver does not; NULL is None to all of them."""
    for row in rows:
        columns: Any = row
        for place, convert, column in converters:
            if columns[place] is not None:
                columns = columns if isinstance(columns, list) else list(row)
                for step in convert:
                    columns[place] = step(columns[place], column, database)
        yield columns


class Instances(_Spelling, Generic[Instance]):
    """A query of models, with what ``select_related`` and ``annotate`` add to them."""

    def all(self, *, limit: int | None = None, **given: Any) -> list[Instance]:
        """Run it; return every instance, or the first ``limit``."""
        database = _database()
        rows = self.fetched(database, given, limit)
        answered: Any = _Answered(self.spelled(database).compiler, rows)
        return list(ModelIterable(answered))

    def first(self, **given: Any) -> Instance | None:
        """Run it; return the first instance, None when there is none."""
        found = self.all(limit=1, **given)
        return found[0] if found else None


class _Answered:
    """What Django's ``ModelIterable`` takes for a queryset: its rows are here already."""

    _known_related_objects: dict[Any, Any] = {}

    def __init__(self, compiler: Any, rows: list[tuple[Any, ...]]) -> None:
        self.select, self.klass_info = compiler.select, compiler.klass_info
        self.annotation_col_map = compiler.annotation_col_map
        self.results_iter = compiler.results_iter
        self.db = compiler.using
        self.query = self
        self._rows = rows

    def get_compiler(self, **_: Any) -> "_Answered":
        return self

    def execute_sql(self, **_: Any) -> list[list[tuple[Any, ...]]]:
        return [self._rows]


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
        database = _database()
        step = (database.features.max_query_params or 60_000) // len(self._columns)
        found: list[tuple[Any, ...]] = []
        for start in range(0, len(rows), step):
            part = rows[start : start + step]
            values = adapted((value for row in part for value in row), database)
            with _binding_cursor(database) as (cursor, place):
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
        database = _database()
        values = adapted((value for row in rows for value in row), database)
        with _binding_cursor(database) as (cursor, place):
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


def _database() -> BaseDatabaseWrapper:
    """Return this thread's connection: to ask Django's proxy for everything takes longer."""
    return connections[DEFAULT_DB_ALIAS]


@contextmanager
def _binding_cursor(database: Any) -> Iterator[tuple[Any, str]]:
    """Open a cursor, and say how a place is spelled for it.

    On PostgreSQL the server puts the values into their places. Django's cursor does it here
    and takes the statement apart for it: 40 µs, and 3 ms for an INSERT of 64 messages.
    """
    if database.vendor == "postgresql":
        database.ensure_connection()
        with database.wrap_database_errors, RawCursor(database.connection) as cursor:
            yield cursor, "${}"
    else:
        with database.cursor() as cursor:
            yield cursor, "%s"


@lru_cache(128)
def _rows_of(place: str, columns: int, rows: int) -> str:
    numbers = iter(range(1, columns * rows + 1))
    return ", ".join(
        f"({', '.join(place.format(next(numbers)) for _ in range(columns))})" for _ in range(rows)
    )


def parts(ids: Iterable[uuid.UUID]) -> Iterator[list[uuid.UUID]]:
    """Cut what may be very many into as much as one statement takes."""
    left = list(ids)
    for start in range(0, len(left), LIST_MAX):
        yield left[start : start + LIST_MAX]


def adapted(values: Iterable[Any], database: Any) -> list[Any]:
    """Return values as the driver takes them; dicts and lists are JSON."""
    ops, native = database.ops, database.features.has_native_uuid_field
    found: list[Any] = []
    for value in values:
        if isinstance(value, uuid.UUID):
            found.append(value if native else value.hex)
        elif isinstance(value, datetime):
            found.append(ops.adapt_datetimefield_value(value))
        elif isinstance(value, dict | list):
            found.append(ops.adapt_json_value(value, None))
        else:
            found.append(value)
    return found


def identity(stored: Any) -> uuid.UUID:
    """Return an id that the driver has given back."""
    return stored if isinstance(stored, uuid.UUID) else uuid.UUID(stored)
