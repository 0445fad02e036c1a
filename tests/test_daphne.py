"""``manage.py runserver`` (Daphne): what it does instead, as docs/servers.md says."""

import asyncio
import signal
import socket
from typing import Any

import pytest
import websockets
from websockets.exceptions import InvalidStatus

from tests.clients import Person, http
from tests.deaf import Deaf
from tests.servers import World

WIDE = "😀" * 10_000  # 40,000 bytes


@pytest.fixture
def dora(daphne: World) -> Person:
    """Dora has an account."""
    return Person.register(daphne.server.url, "dora")


def test_a_body_is_taken_whole_before_it_is_refused(daphne: World) -> None:
    head = (
        "POST /api/v1/auth/login HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 1000000\r\n"
        "Content-Type: application/json\r\nExpect: 100-continue\r\n\r\n"
    )
    with socket.create_connection(("127.0.0.1", daphne.server.port), 10) as connection:
        connection.sendall(head.encode())
        assert connection.recv(100) == b"HTTP/1.1 100 Continue\r\n\r\n"
        connection.sendall(b" " * 999_999)
        connection.settimeout(0.2)
        with pytest.raises(TimeoutError):
            connection.recv(100)
        connection.settimeout(10)
        connection.sendall(b" ")
        assert connection.recv(100).startswith(b"HTTP/1.1 413 ")


def test_it_names_itself(daphne: World) -> None:
    assert http.get(daphne.server.url + "/healthz").headers["server"] == "daphne"


def test_it_believes_a_header_about_its_root(daphne: World, embedded: World) -> None:
    header = {"Daphne-Root-Path": "/root"}
    assert http.get(daphne.server.url + "/root/healthz", headers=header).status_code == 200
    assert http.get(embedded.server.url + "/root/healthz", headers=header).status_code == 404


@pytest.mark.parametrize("size", [128 * 1024 + 1, 1024 * 1024])
async def test_a_message_that_is_too_big_is_told_but_closed_under_another_code(
    dora: Person, size: int
) -> None:
    async with dora.socket() as opened:
        await opened.opened()
        await opened.connection.send("x" * size)
        bye, code = await opened.closed()
        assert (bye["code"], bye["reconnect"], code) == (1009, "backoff", 4000)


async def test_above_a_mebibyte_the_socket_is_dropped_without_a_word(dora: Person) -> None:
    async with dora.socket() as opened:
        await opened.opened()
        await opened.connection.send("x" * (1024 * 1024 + 1))
        assert await opened.closed() == ({}, 1006)


async def test_text_that_is_no_utf8_drops_the_socket_without_a_word(dora: Person) -> None:
    async with dora.socket() as opened:
        await opened.opened()
        await opened.connection.send(b"\xff\xfe", text=True)
        assert await opened.closed() == ({}, 1006)


async def test_a_close_has_no_reason_beside_its_code(dora: Person) -> None:
    async with dora.socket("/nowhere") as opened:
        bye, code = await opened.closed()
        assert (bye["reason"], code) == ("forbidden", 4003)
        assert opened.connection.close_reason == ""


@pytest.mark.parametrize(
    "options",
    [
        {"origin": "nonsense"},
        {"origin": "http://127.0.0.1:99999"},
        {"subprotocols": ["gapless.v1", "gapless.v1"]},
    ],
)
async def test_some_handshakes_are_refused_before_we_see_them(
    dora: Person, options: dict[str, Any]
) -> None:
    with pytest.raises(InvalidStatus) as refused:
        async with websockets.connect(f"{dora.ws}/ws/", **options):
            pass
    assert refused.value.response.status_code == 400


async def test_who_does_not_read_is_answered_on_and_on(dora: Person) -> None:
    room = dora.create_room()["id"]
    for _ in range(5):
        dora.send(room, WIDE)
    with Deaf(f"{dora.ws}/ws/", dora.tokens["access"]) as hers:
        hers.until("hello")
        for number in range(60):
            hers.command("history", id=number, room_id=room)
        hers.command("ping", id="all answered")
        async with dora.socket() as another:
            await another.opened()
            for _ in range(3):
                assert (await another.ask("ping"))["type"] == "pong"
        for number in range(60):
            assert (await asyncio.to_thread(hers.until, "ok"))["id"] == number


async def test_sigterm_cuts_sockets_and_requests(daphne: World) -> None:
    with daphne.beside({"drain_seconds": 5}) as server:
        alice = Person.register(server.url, "alice")
        running = socket.create_connection(("127.0.0.1", server.port), 10)
        head = "POST /api/v1/auth/login HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 2\r\n\r\n{"
        running.sendall(head.encode())
        async with alice.socket() as opened:
            await opened.opened()
            server.process.send_signal(signal.SIGTERM)
            assert await opened.closed() == ({}, 1006)
        with running:
            assert running.recv(100) == b""
