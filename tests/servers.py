"""Real servers for tests, and the worlds that they are in; gone after."""

import atexit
import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory, mkdtemp
from typing import IO, Any
from urllib.parse import urlsplit

import httpx
import pytest

from tests import secrets_seen
from tests.backends import START_SECONDS, STOP_SECONDS, Valkey, free_port, fresh_database

PROJECT = Path(__file__).resolve().parent.parent

# Tests hurry: what is limited is tested where it is set low on purpose. A token outlives them all.
ACCESS_SECONDS = 7_200
LIMITS = (
    f'{{"access_token_seconds": {ACCESS_SECONDS}, '
    '"commands_per_second": null, "drain_seconds": 0.2, "invalid_per_second": null, '
    '"login_failures_per_minute": null, "pong_seconds": 300, "registrations_per_hour": null, '
    '"requests_per_second": null, "sends_per_second": null, "sockets": null}'
)


# The suite of the contract runs on both servers that the service is made for.
on_both_servers = pytest.mark.parametrize("world", ["embedded", "daphne"], indirect=True)
# What depends neither on the database nor on the number of processes is tested in one world.
one_world = pytest.mark.parametrize("world", ["embedded"], indirect=True)


def environment(**changes: str) -> dict[str, str]:
    """Return this process's environment without the service's variables, and with these."""
    ours = {"DATABASE_URL", "REDIS_URL", "LIMITS", "ENVIRONMENT", "DEBUG", "DATA_DIR"}
    kept = {name: value for name, value in os.environ.items() if name not in ours}
    return kept | {"LIMITS": LIMITS, "PYTHONUNBUFFERED": "1"} | changes


def manage(env: dict[str, str], *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run a ``manage.py`` command to its end."""
    return subprocess.run(
        [sys.executable, "manage.py", *arguments],
        cwd=PROJECT,
        env=env,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


def wait_ready(url: str, process: subprocess.Popen[Any]) -> None:
    """Wait until a server says that it is ready; kill one that does not get so."""
    end = time.monotonic() + START_SECONDS
    while process.poll() is None and time.monotonic() < end:
        with contextlib.suppress(httpx.TransportError):
            if httpx.get(url + "/readyz").status_code == 200:
                return
        time.sleep(0.05)
    process.kill()
    raise RuntimeError("It does not get ready.")


class Server:
    """One process of the service."""

    def __init__(self, env: dict[str, str], *, daphne: bool = False) -> None:
        self.env = env
        self.daphne = daphne
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.ws = f"ws://127.0.0.1:{self.port}"
        self.log_path = secrets_seen.new_log("server")
        secrets_seen.note(env)
        command = ["runserver", "--noreload", f"127.0.0.1:{self.port}"]
        if not daphne:
            command = ["serve", "--port", str(self.port)]
        self._log: IO[Any] = self.log_path.open("w")
        self.process = subprocess.Popen(
            [sys.executable, "manage.py", *command],
            cwd=PROJECT,
            env=env,
            stdout=self._log,
            stderr=subprocess.STDOUT,
        )
        try:
            wait_ready(self.url, self.process)
        except RuntimeError as error:
            raise RuntimeError(self.log) from error

    @property
    def log(self) -> str:
        """Everything the server has said."""
        return self.log_path.read_text()

    def stop(self, sig: signal.Signals = signal.SIGTERM) -> int:
        """Ask the server to end; return how it ended."""
        if self.process.poll() is None:
            self.process.send_signal(sig)
        try:
            return self.process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self.process.kill()
            raise
        finally:
            self._log.close()


class World:
    """A database, a channel layer, and one or two servers on them."""

    def __init__(self, folder: Path, servers: int, **env: str) -> None:
        self.folder = folder
        self.env = environment(DATA_DIR=str(folder), **env)
        self.valkey: Valkey | None = None
        self.postgres_url: str | None = env.get("DATABASE_URL")
        if self.postgres_url is None:
            shutil.copy(_migrated_file(), folder)
        self.servers = [Server(self.env) for _ in range(servers)]

    @property
    def server(self) -> Server:
        """The first server."""
        return self.servers[0]

    @property
    def other(self) -> Server:
        """Another server where there are two, else the same."""
        return self.servers[-1]

    def start(self, **changes: Any) -> Server:
        """Start one more server on the same database."""
        daphne = changes.pop("daphne", False)
        server = Server(self.env | changes, daphne=daphne)
        self.servers.append(server)
        return server

    @contextlib.contextmanager
    def beside(self, limits: dict[str, Any], **env: str) -> Iterator[Server]:
        """One more server like the first, with limits of its own; its people stay at it."""
        merged = {"LIMITS": json.dumps(json.loads(LIMITS) | limits)}
        server = Server(self.env | merged | env, daphne=self.server.daphne)
        try:
            yield server
        finally:
            server.stop()

    def manage(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run a ``manage.py`` command on this world's database."""
        return manage(self.env, *arguments)

    def scenario(self, name: str, *arguments: str) -> Any:
        """Run a program of ``tests/scenarios`` on this world; return what it prints."""
        done = subprocess.run(
            [sys.executable, "-m", f"tests.scenarios.{name}", *arguments],
            cwd=PROJECT,
            env=self.env | {"DJANGO_SETTINGS_MODULE": "config.settings"},
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    def stop(self) -> None:
        """End everything."""
        for key in self.folder.glob("development-*"):
            secrets_seen.add(key.read_text().strip())
        for server in self.servers:
            with contextlib.suppress(subprocess.TimeoutExpired):
                server.stop()


@cache
def _migrated_file() -> Path:
    """Return an SQLite file for worlds to begin with; one for each process of the test run."""
    folder = Path(mkdtemp(prefix="gapless-template-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    _migrate(DATA_DIR=str(folder))
    return folder / "gapless.sqlite3"


@cache
def _migrated_template(postgres_url: str) -> str:
    url = fresh_database(postgres_url)
    with TemporaryDirectory() as folder:
        _migrate(DATABASE_URL=url, DATA_DIR=folder)
    return urlsplit(url).path.lstrip("/")


def _migrate(**env: str) -> None:
    migrated = manage(environment(**env), "migrate")
    assert migrated.returncode == 0, migrated.stderr


def migrated_database(postgres_url: str) -> str:
    """Make a database for a world to begin with, and return its URL."""
    return fresh_database(postgres_url, _migrated_template(postgres_url))


@contextlib.contextmanager
def embedded(servers: int = 1, **env: str) -> Iterator[World]:
    """SQLite, the in-process layer, one process: what ``make run`` gives."""
    folder = Path(mkdtemp(prefix="gapless-"))
    world = World(folder, servers, **env)
    try:
        yield world
    finally:
        world.stop()
        shutil.rmtree(folder, ignore_errors=True)


@contextlib.contextmanager
def clustered(postgres_url: str, servers: int = 2, **env: str) -> Iterator[World]:
    """PostgreSQL, Valkey, two processes; on a database of its own."""
    folder = Path(mkdtemp(prefix="gapless-"))
    url = migrated_database(postgres_url)
    valkey = Valkey(folder)
    world = World(folder, servers, DATABASE_URL=url, REDIS_URL=valkey.url, **env)
    world.valkey = valkey
    try:
        yield world
    finally:
        world.stop()
        valkey.stop()
        shutil.rmtree(folder, ignore_errors=True)
