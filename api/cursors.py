"""Cursors whose values the database puts in, and the values as drivers take them.

On PostgreSQL Django's own cursor puts the values in itself and takes the statement apart for
it: 40 µs, and 3 ms for an INSERT of 64 messages.
"""

import uuid
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from datetime import datetime
from functools import cache, partial
from operator import attrgetter
from typing import Any

from django.db import DEFAULT_DB_ALIAS, connections
from psycopg import OperationalError, RawCursor
from psycopg._preparing import Prepare
from psycopg.pq import ConnStatus
from typing_extensions import override

PREPARED_MAX = 20  # values of a statement that is planned once


class _Cursor(RawCursor[Any]):
    """A cursor whose short statements PostgreSQL plans once for a connection.

    Planning a page of history takes four times as long as reading it. Long statements come in
    too many lengths to be met again.
    """

    @override
    def execute(self, query: Any, params: Any = (), **_: Any) -> Any:
        return super().execute(
            query, params, prepare=None if len(params) <= PREPARED_MAX else False
        )

    @override
    def _maybe_prepare_gen(self, pgq: Any, *, prepare: Any = None, binary: Any = None) -> Any:
        """Run it, and let other threads run once meanwhile.

        The driver's own way gives the interpreter up seven times for each statement, and has
        to wait for it as often where many threads want it (docs/decisions/0012). It would heed
        Ctrl-C meanwhile; here that waits for the statement's end.
        """
        prepared = self._conn._prepared
        how, name = prepared.get(pgq, prepare)
        if how is Prepare.NO:
            result = self._pgconn.exec_params(pgq.query, pgq.params, pgq.types, pgq.formats)
        else:
            if how is Prepare.SHOULD:
                self._check_results([self._pgconn.prepare(name, pgq.query, pgq.types)])
            result = self._pgconn.exec_prepared(name, pgq.params, pgq.formats)
        key = prepared.maybe_add_to_cache(pgq, how, name)
        if key is not None:
            prepared.validate(key, how, name, [result])
        self._check_results([result])
        self._set_results([result])
        yield from ()

    @override
    def _check_results(self, results: Any) -> None:
        if self._pgconn.status == ConnStatus.BAD:
            raise OperationalError(self._pgconn.get_error_message())
        super()._check_results(results)


@contextmanager
def binding_cursor(database: Any) -> Iterator[tuple[Any, str]]:
    """Open a cursor, and say how a place is spelled for it."""
    if database.vendor == "postgresql":
        database.ensure_connection()
        with database.wrap_database_errors, _Cursor(database.connection) as cursor:
            yield cursor, "${}"
    else:
        with database.cursor() as cursor:
            yield cursor, "%s"


def adapted(values: Iterable[Any], database: Any) -> list[Any]:
    """Return values as the driver takes them; dicts and lists are JSON."""
    adapters = _adapters(database.vendor)
    return [adapters[type(value)](value) if type(value) in adapters else value for value in values]


@cache
def _adapters(vendor: str) -> dict[type, Callable[[Any], Any]]:
    """Return how values travel that the driver does not take as they are."""
    ops: Any = connections[DEFAULT_DB_ALIAS].ops
    json = partial(ops.adapt_json_value, encoder=None)
    if vendor == "postgresql":
        return {dict: json, list: json}
    return {
        uuid.UUID: attrgetter("hex"),
        datetime: ops.adapt_datetimefield_value,
        dict: json,
        list: json,
    }
