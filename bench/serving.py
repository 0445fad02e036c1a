"""The servers that are measured, as processes."""

import contextlib
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import httpx

from tests.backends import free_port, fresh_database
from tests.servers import PROJECT, manage, wait_ready

ENV = dict(os.environ)  # that of the world which __main__ has started


class Serving(NamedTuple):
    """A server under way."""

    port: int
    pid: int


@contextlib.contextmanager
def gapless(**changes: str) -> Iterator[Serving]:
    """Serve the service."""
    port = free_port()
    command = [sys.executable, "manage.py", "serve", "--port", str(port)]
    with _process(command, ENV | changes) as process:
        wait_ready(f"http://127.0.0.1:{port}", process)
        yield Serving(port, process.pid)


@contextlib.contextmanager
def textbook() -> Iterator[Serving]:
    """Serve the textbook consumer on Daphne, with the layer that its tutorial uses."""
    port = free_port()
    command = [
        *(sys.executable, "-m", "daphne", "--no-server-name", "-v", "0"),
        *("-b", "127.0.0.1", "-p", str(port), "bench.textbook.asgi:application"),
    ]
    with _process(command, ENV | {"DJANGO_SETTINGS_MODULE": "bench.textbook.settings"}) as process:
        _listening(port, process)
        yield Serving(port, process.pid)


@contextlib.contextmanager
def socketio(folder: Path) -> Iterator[Serving]:
    """Serve Socket.IO with its Redis adapter, out of a folder where it is installed."""
    port = free_port()
    command = ["node", "server.js", str(port), ENV["REDIS_URL"]]
    with _process(command, ENV, cwd=folder) as process:
        _listening(port, process)
        yield Serving(port, process.pid)


def seconds_to_first_answer() -> float:
    """Start the service and return how long its first answer took."""
    start = time.perf_counter()
    with gapless() as serving:
        httpx.get(f"http://127.0.0.1:{serving.port}/api/v1")
        return time.perf_counter() - start


def databases() -> Iterator[tuple[str, dict[str, str]]]:
    """Yield an environment with an empty database of each kind; it is gone after."""
    with tempfile.TemporaryDirectory(prefix="gapless-bench-") as folder:
        for name, url in (("PostgreSQL", fresh_database(ENV["DATABASE_URL"])), ("SQLite", "")):
            env = {key: value for key, value in ENV.items() if key != "REDIS_URL"}
            env |= {"DATABASE_URL": url, "DATA_DIR": folder}
            if not url:
                del env["DATABASE_URL"]
            migrated = manage(env, "migrate")
            if migrated.returncode:
                raise RuntimeError(migrated.stderr)
            yield name, env


def program(env: dict[str, str], name: str, *arguments: str) -> str:
    """Run a part of the bench in this environment; return what it prints."""
    command = [sys.executable, "-m", name, *arguments]
    done = subprocess.run(command, env=env, cwd=PROJECT, stdout=subprocess.PIPE, check=True)
    return done.stdout.decode()


@contextlib.contextmanager
def _process(
    command: list[str], env: dict[str, str], cwd: Path = PROJECT
) -> Iterator[subprocess.Popen[bytes]]:
    process = subprocess.Popen(command, env=env, cwd=cwd, stdout=subprocess.DEVNULL)
    try:
        yield process
    finally:
        process.terminate()
        try:
            process.wait(15)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _listening(port: int, process: subprocess.Popen[bytes]) -> None:
    end = time.monotonic() + 30
    while process.poll() is None and time.monotonic() < end:
        with contextlib.suppress(httpx.TransportError):
            httpx.get(f"http://127.0.0.1:{port}/")
            return
        time.sleep(0.05)
    raise RuntimeError("A peer does not start.")
