"""Who waits for whom in PostgreSQL."""

import contextlib
import time
import uuid
from collections.abc import Iterator

import psycopg

from tests.servers import World


def waiting_locks(connection: psycopg.Connection) -> int:
    row = connection.execute("SELECT count(*) FROM pg_locks WHERE NOT granted").fetchone()
    assert row is not None
    return int(row[0])


def wait_for_locks(watcher: psycopg.Connection, count: int) -> None:
    """Wait until so many transactions wait for a lock."""
    end = time.monotonic() + 60
    while waiting_locks(watcher) < count:
        assert time.monotonic() < end
        time.sleep(0.02)


@contextlib.contextmanager
def held(world: World, stream: str) -> Iterator[None]:
    """Hold the lock that whoever writes into a stream waits for."""
    with psycopg.connect(world.postgres_url or "") as connection:
        found = connection.execute(
            "SELECT 1 FROM api_stream WHERE id = %s FOR UPDATE", [uuid.UUID(stream)]
        )
        assert found.fetchone()
        yield


@contextlib.contextmanager
def held_until_all_wait(world: World, stream: str) -> Iterator[psycopg.Connection]:
    """Hold that lock; yields a connection to see on who waits for it."""
    with held(world, stream), psycopg.connect(world.postgres_url or "", autocommit=True) as watcher:
        yield watcher
