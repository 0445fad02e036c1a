"""``manage.py serve`` ends: unready first, then sockets sent away, requests finished, code 0."""

import asyncio
import contextlib
import signal
import socket
import time
from typing import Any

import psycopg
import pytest

from tests.backends import STOP_SECONDS
from tests.clients import Person, http
from tests.deaf import Deaf
from tests.locks import wait_for_locks
from tests.servers import Server, World

DRAINING = {"type": "bye", "code": 4200, "reason": "draining", "reconnect": "now"}
LONG_SECONDS = 3 * STOP_SECONDS  # nobody waits for a server that takes so long to end
WIDE = "😀" * 10_000


async def ended(server: Server) -> int:
    """Wait for the end of a server; return its code."""
    return await asyncio.to_thread(server.process.wait, STOP_SECONDS)


def wait_closed(server: Server) -> None:
    """Wait until the server takes no new connections."""
    end = time.monotonic() + STOP_SECONDS
    while time.monotonic() < end:
        try:
            with contextlib.suppress(ConnectionResetError):  # it came just before the end
                socket.create_connection(("127.0.0.1", server.port), 10).close()
        except ConnectionRefusedError:
            return
    raise TimeoutError("it still listens")


def unready(server: Server) -> dict[str, Any]:
    """Wait until the server says that it should get no traffic; return what it says."""
    end = time.monotonic() + STOP_SECONDS
    while time.monotonic() < end:
        response = http.get(server.url + "/readyz")
        if response.status_code == 503:
            return dict(response.json())
    raise TimeoutError("it is still ready")


def begun(server: Server, person: Person) -> socket.socket:
    """Begin a request that changes a name; it is under way until its body has come."""
    running = socket.create_connection(("127.0.0.1", server.port), 10)
    head = (
        "PATCH /api/v1/me HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 26\r\n"
        "Content-Type: application/json\r\nExpect: 100-continue\r\n"
        f"Authorization: Bearer {person.tokens['access']}\r\n\r\n"
    )
    running.sendall(head.encode())
    assert running.recv(100).startswith(b"HTTP/1.1 100")
    return running


def finish(running: socket.socket, pause: float = 0) -> None:
    """Send the body, slowly if so wished, and expect success."""
    for byte in b'{"display_name": "Alicia"}':
        running.sendall(bytes([byte]))
        time.sleep(pause)
    with running, running.makefile("rb") as stream:
        assert stream.readline() == b"HTTP/1.1 200 OK\r\n"
        assert b"connection: close\r\n" in stream.readlines()


async def test_sigterm_sends_sockets_away_and_finishes_requests(embedded: World) -> None:
    with embedded.beside({"drain_seconds": 5}) as server:
        alice = Person.register(server.url, "alice")
        running = begun(server, alice)
        async with alice.socket() as one, alice.socket() as two, alice.socket() as three:
            for open_socket in (one, two, three):
                await open_socket.opened()

            server.process.send_signal(signal.SIGTERM)

            assert unready(server) == {
                "status": "draining",
                "checks": {"database": True, "channel_layer": True, "draining": True},
            }
            assert alice.get("/me")["id"] == alice.id, "it still serves"
            async with alice.socket() as late:
                assert await late.closed() == (DRAINING, 4200)
            for open_socket in (one, two, three):
                assert await open_socket.closed() == (DRAINING, 4200)
        await asyncio.to_thread(wait_closed, server)
        finish(running)
        assert await ended(server) == 0
        assert "Traceback" not in server.log


async def test_sigint_waits_for_no_balancer(embedded: World) -> None:
    with embedded.beside({"drain_seconds": LONG_SECONDS}) as server:
        alice = Person.register(server.url, "alice")
        async with alice.socket() as open_socket:
            await open_socket.opened()
            server.process.send_signal(signal.SIGINT)
            assert await open_socket.closed() == (DRAINING, 4200)
        assert await ended(server) == 0


@pytest.mark.parametrize("second", [signal.SIGTERM, signal.SIGINT])
async def test_second_signal_hurries(embedded: World, second: signal.Signals) -> None:
    with embedded.beside({"drain_seconds": LONG_SECONDS}) as server:
        alice = Person.register(server.url, "alice")
        running = begun(server, alice)
        async with alice.socket() as one, alice.socket() as other:
            await one.opened()
            await other.opened()
            server.process.send_signal(signal.SIGTERM)
            assert unready(server)["status"] == "draining"
            server.process.send_signal(second)
            assert await one.closed() == (DRAINING, 4200)
            assert await other.closed() == (DRAINING, 4200)
        finish(running, pause=0.04)  # a second: less than a hurried request has
        assert await ended(server) == 0
        assert "Traceback" not in server.log


@pytest.mark.parametrize("first", [signal.SIGTERM, signal.SIGINT])
async def test_after_a_second_signal_no_request_holds_up_the_end(
    embedded: World, first: signal.Signals
) -> None:
    with embedded.beside({"drain_seconds": None}) as server:
        alice = Person.register(server.url, "alice")
        with begun(server, alice) as running:
            server.process.send_signal(first)
            await asyncio.to_thread(wait_closed, server)
            server.process.send_signal(signal.SIGTERM)
            assert await ended(server) == 0
            assert running.recv(1000).startswith(b"HTTP/1.1 500 ")
        assert "lifespan" not in server.log


async def test_who_does_not_read_does_not_hold_up_the_end(embedded: World) -> None:
    with embedded.beside({}) as server:
        alice = Person.register(server.url, "alice")
        room = alice.create_room()["id"]
        with Deaf(f"{server.ws}/ws/rooms/{room}/", alice.tokens["access"]) as hers:
            hers.until("subscribed")
            for _ in range(20):
                alice.send(room, WIDE)
            server.process.send_signal(signal.SIGTERM)
            assert await ended(server) == 0


async def test_what_is_being_sent_is_answered_before_the_socket_is_sent_away(
    clustered: World,
) -> None:
    with clustered.beside({"drain_seconds": 1}) as server:
        alice = Person.register(server.url, "alice")
        room = alice.create_room()["id"]
        database = clustered.postgres_url or ""
        async with alice.socket() as hers:
            await hers.opened()
            with (
                psycopg.connect(database, autocommit=True) as watcher,
                psycopg.connect(database) as holder,
            ):
                holder.execute("SELECT 1 FROM api_stream WHERE id = %s FOR UPDATE", [room])
                await hers.command("message.send", id="sent", room_id=room, text="hello")
                await asyncio.to_thread(wait_for_locks, watcher, 1)
                server.process.send_signal(signal.SIGTERM)
                await asyncio.to_thread(unready, server)
                await hers.command("message.send", id="late", room_id=room, text="late")
                holder.commit()
            assert (await hers.receive())["id"] == "sent"
            assert await hers.closed() == (DRAINING, 4200)
        assert await ended(server) == 0
    assert [
        item["text"]
        for item in alice.at(clustered.server.url).get(f"/rooms/{room}/messages")["items"]
    ] == ["hello"]
