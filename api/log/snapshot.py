"""A consistent read: everything in it is true at one moment, and no writer waits for it."""

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connection

_BEGIN = {
    "postgresql": "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY",
    "sqlite": "BEGIN DEFERRED",  # its first read takes the snapshot
}


@contextmanager
def snapshot() -> Iterator[None]:
    """Read in one snapshot. Not to be nested, nor within a write.

    Raises:
        RuntimeError: a transaction is open.
    """
    if connection.in_atomic_block:
        raise RuntimeError("A snapshot is a transaction of its own.")
    with connection.cursor() as cursor:
        cursor.execute(_BEGIN[connection.vendor])
        try:
            yield
        finally:
            cursor.execute("COMMIT")  # also of one that failed: it wrote nothing
