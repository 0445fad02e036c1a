"""The servers that are measured, as processes."""

import contextlib
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import httpx

from tests.servers import PROJECT, free_port, wait_ready

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
