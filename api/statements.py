"""Queries whose SQL is spelled out once for the life of the process.

The ORM takes about a millisecond to spell a query out, ten times what the database takes to
answer it (docs/decisions/0010). What runs often is written with the ORM as ever, with
``Given`` in the places of its parameters, and only filled in when it runs.
"""

import uuid
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, Generic, NamedTuple, TypeVar

from django.db import DEFAULT_DB_ALIAS, connections
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import Expression, F, Func, JSONField, Model, Q, QuerySet, Subquery
from django.db.models.lookups import In
from django.db.models.query import ModelIterable
from typing_extensions import override

from api.cursors import adapted, binding_cursor

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


class _Array(Func):
    """A JSON array; Django's own asks SQLite first whether it knows JSON, in a transaction."""

    function = "json_array"
    output_field = JSONField()

    def as_postgresql(self, compiler: Any, connection: Any) -> Any:
        """Spell it for PostgreSQL."""
        return self.as_sql(compiler, connection, function="jsonb_build_array")


class Listed(Subquery):
    """The rows of a query as one column of another: a list, NULL or empty when there are none.

    Each of them is a list of these columns; ids are strings in it, truths may be 0 and 1.
    """

    template = "(SELECT json_group_array(json(one.listed)) FROM (%(subquery)s) AS one)"
    output_field = JSONField()

    def __init__(self, query: QuerySet[Any, Any], *columns: Any) -> None:
        super().__init__(query.values(listed=_Array(*columns)))

    def as_postgresql(self, compiler: Any, connection: Any) -> Any:
        """Spell it for PostgreSQL."""
        template = "(SELECT jsonb_agg(one.listed) FROM (%(subquery)s) AS one)"
        return self.as_sql(compiler, connection, template)


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

    def rows(
        self, database: BaseDatabaseWrapper, given: dict[str, Any], limit: int | None
    ) -> Iterable[Sequence[Any]]:
        """Run the query; return its rows."""
        found = self._fetched(database, given, limit)
        converters = self.spelled(database).converters
        return _converted(found, converters, database) if converters else found

    def _fetched(
        self, database: BaseDatabaseWrapper, given: dict[str, Any], limit: int | None
    ) -> list[tuple[Any, ...]]:
        """Run the query; its columns come as the driver gives them."""
        pieces, parameters, _, _ = self.spelled(database)
        sql = [pieces[0]]
        values: list[Any] = []
        with binding_cursor(database) as (cursor, place):
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
        shape = self._shape
        return [shape(*row) for row in self.rows(database_here(), given, limit)]

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
        database = database_here()
        rows = self.rows(database, given, limit)
        answered: Any = _Answered(self.spelled(database).compiler, rows)
        return list(ModelIterable(answered))

    def first(self, **given: Any) -> Instance | None:
        """Run it; return the first instance, None when there is none."""
        found = self.all(limit=1, **given)
        return found[0] if found else None


class _Answered:
    """What Django's ``ModelIterable`` takes for a queryset: its rows are here already."""

    _known_related_objects: dict[Any, Any] = {}

    def __init__(self, compiler: Any, rows: Iterable[Sequence[Any]]) -> None:
        self.select, self.klass_info = compiler.select, compiler.klass_info
        self.annotation_col_map = compiler.annotation_col_map
        self.db = compiler.using
        self.query = self
        self._rows = rows

    def get_compiler(self, **_: Any) -> "_Answered":
        return self

    def execute_sql(self, **_: Any) -> Iterable[Sequence[Any]]:
        return self._rows

    def results_iter(self, rows: Iterable[Sequence[Any]]) -> Iterable[Sequence[Any]]:
        return rows


def database_here() -> BaseDatabaseWrapper:
    """Return this thread's connection: to ask Django's proxy for everything takes longer."""
    return connections[DEFAULT_DB_ALIAS]


def parts(ids: Iterable[uuid.UUID]) -> Iterator[list[uuid.UUID]]:
    """Cut what may be very many into as much as one statement takes."""
    left = list(ids)
    for start in range(0, len(left), LIST_MAX):
        yield left[start : start + LIST_MAX]


def identity(stored: Any) -> uuid.UUID:
    """Return an id that the driver has given back."""
    return stored if isinstance(stored, uuid.UUID) else uuid.UUID(stored)
