"""Who waits for whom in PostgreSQL."""

import time

import psycopg


def waiting_locks(connection: psycopg.Connection) -> int:
    row = connection.execute("SELECT count(*) FROM pg_locks WHERE NOT granted").fetchone()
    assert row is not None
    return int(row[0])


def wait_for_locks(watcher: psycopg.Connection, count: int) -> None:
    """Wait until so many transactions wait for a lock."""
    end = time.monotonic() + 10
    while waiting_locks(watcher) < count:
        assert time.monotonic() < end
        time.sleep(0.02)
