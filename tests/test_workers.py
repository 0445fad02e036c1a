"""``manage.py serve --workers``: several processes are one service, to clients and operators."""

import asyncio
import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

import pytest
from websockets.exceptions import ConnectionClosed

from tests import secrets_seen
from tests.backends import STOP_SECONDS, Valkey, free_port
from tests.clients import Person, Socket, http
from tests.processes import ESTABLISHED, LISTENING, alive, ends, files
from tests.servers import PROJECT, Server, World, wait_ready
from tests.test_drain import DRAINING, LONG_SECONDS, unready, wait_closed

NEWS_SECONDS = 5  # contract §3.4: how late news may be that only the log brings
PROMPT_SECONDS = 5  # for ten rounds: by the log alone each takes up to two
SOCKETS_MAX = 60  # the second worker may still be starting when the first ones connect
LONG_DRAIN = f'{{"drain_seconds": {LONG_SECONDS}, "sockets": null}}'

ALONE = [
    "2 workers without REDIS_URL: news of another one arrive within 5 seconds, not at once.",
    "What is counted in memory (limits, presence) is counted in each worker for itself.",
]
ONE_FILE = "SQLite: writers of different workers wait for each other at the file."


class Service(Server):
    """``manage.py serve`` with two workers."""

    def __init__(self, env: dict[str, str]) -> None:
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.ws = f"ws://127.0.0.1:{self.port}"
        self.log_path = secrets_seen.new_log("workers")
        with self.log_path.open("w") as log:
            self.process = subprocess.Popen(
                [sys.executable, "manage.py", "serve", "--workers=2", f"--port={self.port}"],
                cwd=PROJECT,
                env=env,
                stdout=log,
                stderr=subprocess.STDOUT,
            )

    @property
    def workers(self) -> set[int]:
        """The ids of its workers."""
        pid = self.process.pid
        return {
            int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        }

    def holder(self, socket: Socket) -> int:
        """Return the worker that a socket is at."""
        found = ends(self.port, ESTABLISHED)[socket.connection.local_address[1]]
        return next(worker for worker in self.workers if found in files(worker))

    def listens(self) -> bool:
        """Tell whether the supervisor still has the port."""
        return not files(self.process.pid).isdisjoint(ends(self.port, LISTENING).values())


def wait_for(condition: Callable[[], bool]) -> None:
    """Wait until something is so."""
    end = time.monotonic() + STOP_SECONDS
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.01)


@contextlib.contextmanager
def starting(world: World, **env: str) -> Iterator[Service]:
    """Start one on a world's database; whatever happens, nothing of it is left."""
    service = Service(world.env | env)
    try:
        yield service
    finally:
        left = service.workers if service.process.poll() is None else set()
        service.process.kill()
        service.process.wait(STOP_SECONDS)
        for worker in left:
            with contextlib.suppress(ProcessLookupError):
                os.kill(worker, signal.SIGKILL)


@contextlib.contextmanager
def serving(world: World, **env: str) -> Iterator[Service]:
    """Start one and wait until it serves."""
    with starting(world, **env) as service:
        wait_ready(service.url, service.process)
        yield service


@contextlib.asynccontextmanager
async def spread(service: Service, person: Person, room: str) -> AsyncIterator[list[Socket]]:
    """Follow a room with so many sockets that each worker holds two or more."""
    async with contextlib.AsyncExitStack() as stack:
        sockets: list[Socket] = []
        holders: list[int] = []
        while not all(holders.count(worker) > 1 for worker in service.workers):
            assert len(sockets) < SOCKETS_MAX, holders
            await asyncio.sleep(0.2 if len(sockets) > SOCKETS_MAX // 3 else 0)
            socket = await stack.enter_async_context(person.socket())
            await socket.opened()
            await socket.subscribe(room)
            sockets.append(socket)
            holders.append(service.holder(socket))
        yield sockets


async def answers(socket: Socket) -> bool:
    """Tell whether a socket is still open."""
    try:
        await socket.ask("ping")
    except ConnectionClosed:
        return False
    return True


async def all_reach(sockets: list[Socket], room: str, seq: int, seconds: float) -> None:
    """Wait until all have a room's event."""
    async with asyncio.timeout(seconds):
        await asyncio.gather(*(socket.reach(room, seq) for socket in sockets))


async def test_without_redis_news_reach_every_worker_through_the_log(embedded: World) -> None:
    with serving(embedded) as service:
        alice = Person.register(service.url, "alice")
        room = alice.create_room()["id"]
        async with spread(service, alice, room) as sockets:
            await all_reach(sockets, room, alice.send(room)["seq"], NEWS_SECONDS)
    assert "Traceback" not in service.log


async def test_with_redis_news_reach_every_worker_promptly(embedded: World) -> None:
    valkey = Valkey(embedded.folder)
    try:
        with serving(embedded, REDIS_URL=valkey.url) as service:
            alice = Person.register(service.url, "alice")
            room = alice.create_room()["id"]
            async with spread(service, alice, room) as sockets:
                await all_reach(sockets, room, alice.send(room)["seq"], NEWS_SECONDS)
                async with asyncio.timeout(PROMPT_SECONDS):
                    for _ in range(10):
                        seq = alice.send(room)["seq"]
                        await all_reach(sockets, room, seq, PROMPT_SECONDS)
            assert ALONE[0] not in service.log
            assert ONE_FILE in service.log
    finally:
        valkey.stop()


async def test_killed_worker_is_replaced_and_its_sockets_miss_nothing(embedded: World) -> None:
    with serving(embedded) as service:
        alice = Person.register(service.url, "alice")
        room = alice.create_room()["id"]
        async with spread(service, alice, room) as sockets:
            await all_reach(sockets, room, alice.send(room, "before")["seq"], NEWS_SECONDS)
            before = service.workers
            killed = service.holder(sockets[0])
            stay = [socket for socket in sockets if service.holder(socket) != killed]

            os.kill(killed, signal.SIGKILL)
            assert await sockets[0].closed() == ({}, 1006)
            sent = await stay[0].ok("message.send", room_id=room, text="after")

            seq = sent["message"]["seq"]
            await all_reach(stay, room, seq, NEWS_SECONDS)
            since = sockets[0].positions[room]
            async with alice.socket(f"/ws/rooms/{room}/", query=f"?since={since}") as back:
                await back.reach(room, seq)
                assert [event["data"]["text"] for event in back.of(room)] == ["after"]
            await asyncio.to_thread(wait_for, lambda: len(service.workers - {killed}) == 2)
            assert service.workers & before == before - {killed}
            async with spread(service, alice, room) as again:
                sent = await stay[0].ok("message.send", room_id=room, text="to the new one")
                await all_reach(stay + again, room, sent["message"]["seq"], NEWS_SECONDS)
        assert f"worker {killed} ended (-9), replaced" in service.log


async def test_sigterm_ends_all_workers_with_0(embedded: World) -> None:
    with serving(embedded) as service:
        alice = Person.register(service.url, "alice")
        room = alice.create_room()["id"]
        async with spread(service, alice, room) as sockets:
            workers = service.workers
            service.process.send_signal(signal.SIGTERM)
            for socket in sockets:
                assert await socket.closed() == (DRAINING, 4200)
        assert await asyncio.to_thread(service.process.wait, STOP_SECONDS) == 0
        assert not any(map(alive, workers))
        assert "Traceback" not in service.log
        assert "replaced" not in service.log


async def test_grace_ends_at_the_second_signal_not_when_all_processes_got_the_first(
    embedded: World,
) -> None:
    with serving(embedded, LIMITS=LONG_DRAIN) as service:
        alice = Person.register(service.url, "alice")
        room = alice.create_room()["id"]
        async with spread(service, alice, room) as sockets:
            holders = {socket: service.holder(socket) for socket in sockets}
            for pid in [*service.workers, service.process.pid]:  # as whoever ends a whole group
                os.kill(pid, signal.SIGTERM)
            assert (await asyncio.to_thread(unready, service))["status"] == "draining"
            await asyncio.to_thread(wait_for, lambda: not service.listens())
            left = sockets
            for _ in range(10):
                left = [socket for socket in sockets if await answers(socket)]
                assert {holders[socket] for socket in left} == service.workers

            service.process.send_signal(signal.SIGTERM)
            for socket in left:
                assert await socket.closed() == (DRAINING, 4200)
        assert await asyncio.to_thread(service.process.wait, STOP_SECONDS) == 0
        assert "Traceback" not in service.log


async def test_sigint_waits_for_no_balancer_in_any_worker(embedded: World) -> None:
    with serving(embedded, LIMITS=LONG_DRAIN) as service:
        alice = Person.register(service.url, "alice")
        room = alice.create_room()["id"]
        async with spread(service, alice, room) as sockets:
            service.process.send_signal(signal.SIGINT)
            for socket in sockets:
                assert await socket.closed() == (DRAINING, 4200)
        assert await asyncio.to_thread(service.process.wait, STOP_SECONDS) == 0


async def test_workers_whose_supervisor_was_killed_end_at_once(embedded: World) -> None:
    with serving(embedded, LIMITS=LONG_DRAIN) as service:
        alice = Person.register(service.url, "alice")
        room = alice.create_room()["id"]
        async with spread(service, alice, room) as sockets:
            workers = service.workers
            service.process.kill()
            for socket in sockets:
                assert await socket.closed() == (DRAINING, 4200)
        await asyncio.to_thread(wait_closed, service)
        await asyncio.to_thread(wait_for, lambda: not any(map(alive, workers)))


def test_sigterm_while_workers_start_ends_them(embedded: World) -> None:
    with starting(embedded) as service:
        wait_for(lambda: len(service.workers) == 2)
        workers = service.workers
        service.process.send_signal(signal.SIGTERM)
        assert service.process.wait(STOP_SECONDS) == 0
        assert not any(map(alive, workers))
        assert "Traceback" not in service.log


def test_worker_that_cannot_start_ends_the_others(embedded: World) -> None:
    assert embedded.scenario("workers_one_of_which_cannot_start") is False


def test_start_says_what_workers_without_redis_do_not_share(embedded: World) -> None:
    with serving(embedded) as service:
        lines = service.log.splitlines()
    for line in [*ALONE, ONE_FILE]:
        logged = f"WARNING realtime.management.commands.serve: {line}"
        assert line in lines
        assert any(found.endswith(logged) for found in lines)
    assert not any(line in embedded.server.log for line in [*ALONE, ONE_FILE])


@pytest.mark.parametrize("workers", ["1", "2"])
def test_port_in_use_is_one_line(embedded: World, workers: str) -> None:
    port = str(embedded.server.port)
    done = embedded.manage("serve", "--port", port, "--workers", workers)
    assert (done.returncode, done.stdout) == (1, "")
    (line,) = done.stderr.splitlines()
    assert line.startswith(f"CommandError: 127.0.0.1:{port}: Address already in use")
    assert http.get(embedded.server.url + "/readyz").status_code == 200


@pytest.mark.parametrize(
    "wrong", [("--workers", "0"), ("--workers", "two"), ("--workers", "257"), ("--port", "65536")]
)
def test_number_that_cannot_be_meant_is_refused(embedded: World, wrong: tuple[str, str]) -> None:
    done = embedded.manage("serve", *wrong)
    assert (done.returncode, done.stdout) == (2, "")
    assert f"argument {wrong[0]}: {wrong[1]!r} is not between " in done.stderr.splitlines()[-1]
