"""The door in front of Django: who called, and whom it turns away before any work is done."""

import asyncio
import json
from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pytest_django import Settings

from config import bodies, http
from config.addresses import client_address
from config.handlers import THREADS
from config.http import HttpDoor
from tests.doors import HANDLERS, WAIT_SECONDS, served

PEER = "10.0.0.1"


@pytest.mark.parametrize(
    ("forwarded", "proxies", "address"),
    [
        ([], 0, PEER),
        (["1.1.1.1"], 0, PEER),
        ([], 1, PEER),
        (["1.1.1.1"], 1, "1.1.1.1"),
        (["9.9.9.9, 1.1.1.1"], 1, "1.1.1.1"),
        (["9.9.9.9", "1.1.1.1"], 1, "1.1.1.1"),
        (["9.9.9.9, 1.1.1.1", "10.0.0.2"], 2, "1.1.1.1"),
        (["9.9.9.9,1.1.1.1,10.0.0.3,10.0.0.2"], 3, "1.1.1.1"),
        (["1.1.1.1"], 2, PEER),
        (["1.1.1.1"], 10, PEER),
        (["  2001:DB8::0:1 "], 1, "2001:db8::1"),
        (["unknown"], 1, PEER),
        ([""], 1, PEER),
        (["1.1.1.1, "], 1, PEER),
        (["1.1.1.1:4711"], 1, "1.1.1.1"),
        (["9.9.9.9:1, 1.1.1.1:4711", "[::1]:80"], 2, "1.1.1.1"),
        (["[2001:DB8::1]:443"], 1, "2001:db8::1"),
        (["[2001:db8::1]"], 1, "2001:db8::1"),
        (["2001:db8::1:443"], 1, "2001:db8::1:443"),
        (["1.1.1.1:"], 1, PEER),
        (["1.1.1.1:http"], 1, PEER),
        (["1.1.1.1:4711:1"], 1, PEER),
        (["[1.1.1.1]:80"], 1, "1.1.1.1"),
        (["[::1"], 1, PEER),
        (["::1]:80"], 1, PEER),
        (["[::1]x"], 1, PEER),
        (["fe80::1%eth0"], 1, PEER),
        (["fe80::1%\x1b[2J"], 1, PEER),
        (["[fe80::1%eth0]:80"], 1, PEER),
        (["999.1.1.1"], 1, PEER),
        (["1.1.1.1\n9.9.9.9"], 1, PEER),
    ],
)
def test_an_address_is_what_the_outermost_proxy_of_ours_has_seen(
    forwarded: list[str], proxies: int, address: str
) -> None:
    assert client_address(PEER, forwarded, proxies) == address


@given(
    forged=st.lists(st.text() | st.just("9.9.9.9, 8.8.8.8"), max_size=4),
    ours=st.lists(st.ip_addresses().map(str), max_size=3),
    client=st.ip_addresses().map(str),
)
def test_nothing_that_a_client_writes_changes_its_address(
    forged: list[str], ours: list[str], client: str
) -> None:
    forwarded = [*forged, ", ".join([client, *ours])]
    assert client_address(PEER, forwarded, len(ours) + 1) == client


# --- whom it turns away ---------------------------------------------------------------------


@pytest.fixture(params=HANDLERS, autouse=True)
def _handler(request: pytest.FixtureRequest, settings: Settings) -> None:
    settings.HTTP_HANDLER = request.param


async def asked(
    received: Sequence[dict[str, Any]],
    *headers: tuple[bytes, bytes],
    path: str = "/healthz",
    query: bytes = b"",
) -> tuple[list[dict[str, Any]], int]:
    """Return what the door sends, and how many of the received messages it has taken."""
    waiting, sent = list(received), []

    async def receive() -> dict[str, Any]:
        if not waiting:
            await asyncio.Event().wait()  # as a server does when a client has no more to say
        return waiting.pop(0)

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    scope = {
        "type": "http",
        "method": "POST",
        "path": path,
        "query_string": query,
        "headers": [(b"host", b"localhost"), *headers],
        "client": (PEER, 4711),
    }
    door = HttpDoor()
    async with asyncio.timeout(WAIT_SECONDS):
        await door(scope, receive, send)
    await door.end()
    return sent, len(received) - len(waiting)


def problem(sent: Sequence[dict[str, Any]]) -> tuple[int, str]:
    """Return the status and the code of a refusal, which is answered under its id."""
    start, body = sent
    headers = dict(start["headers"])
    told = json.loads(body["body"])
    assert headers[b"content-type"] == b"application/problem+json"
    assert headers[b"x-request-id"] == told["request_id"].encode() != b""
    return start["status"], told["code"]


def part(size: int, *, more: bool = True) -> dict[str, Any]:
    """Return a part of a body."""
    return {"type": "http.request", "body": b"x" * size, "more_body": more}


@pytest.fixture
def small(settings: Settings) -> None:
    """A server that takes bodies of 100 bytes."""
    settings.LIMITS = type(settings.LIMITS)(body_bytes=100)


@pytest.mark.usefixtures("small")
async def test_a_body_that_is_declared_too_large_is_not_read_at_all() -> None:
    sent, taken = await asked([part(1)], (b"content-length", b"101"))
    assert (problem(sent), taken) == ((413, "payload_too_large"), 0)


@pytest.mark.usefixtures("small")
async def test_a_body_is_read_no_further_than_it_may_be_long() -> None:
    sent, taken = await asked([part(60), part(40), part(1), part(1)])
    assert (problem(sent), taken) == ((413, "payload_too_large"), 3)


@pytest.mark.usefixtures("small")
@pytest.mark.parametrize("declared", [b"5", b"-1", b"many", b""])
async def test_what_is_declared_is_not_believed(declared: bytes) -> None:
    sent, taken = await asked([part(101, more=False)], (b"content-length", declared))
    assert (problem(sent), taken) == ((413, "payload_too_large"), 1)


async def test_a_client_that_goes_before_it_has_said_all_is_not_answered() -> None:
    assert await asked([part(10), {"type": "http.disconnect"}]) == ([], 2)


@pytest.mark.parametrize("received", [[], [part(10)]])
async def test_a_body_that_does_not_arrive_in_time_is_not_waited_for(
    monkeypatch: pytest.MonkeyPatch, received: list[dict[str, Any]]
) -> None:
    monkeypatch.setattr(bodies, "BODY_SECONDS", 0.05)
    sent, _ = await asked(received)
    assert problem(sent) == (400, "invalid_request")
    assert json.loads(sent[1]["body"])["detail"] == "The body did not arrive in time."
    assert dict(sent[0]["headers"])[b"connection"] == b"close"


async def test_who_sends_a_body_too_slowly_loses_the_connection(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(bodies, "BODY_SECONDS", 0.05)
    async with served(HttpDoor()) as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"POST /healthz HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\n\r\nslow")
        answer = await reader.read()  # up to the end of the connection
        writer.close()
    assert answer.startswith(b"HTTP/1.1 400 ")


@pytest.mark.parametrize(
    ("query", "media"),
    [(b"q=\xff", b"application/json"), (b"", b"application/json; charset*=no-such''x")],
)
async def test_what_cannot_be_read_is_no_fault_of_ours(query: bytes, media: bytes) -> None:
    sent, taken = await asked([part(0, more=False)], (b"content-type", media), query=query)
    assert (problem(sent), taken) == ((400, "invalid_request"), 0)


async def test_more_than_may_wait_are_refused_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http, "WAITING_MAX", -THREADS)
    sent, _ = await asked([part(0, more=False)])
    assert problem(sent) == (503, "unavailable")
    assert dict(sent[0]["headers"])[b"retry-after"] == b"1"


async def test_a_request_has_one_id_however_many_it_came_with() -> None:
    ids = [(b"x-request-id", b"first"), (b"x-request-id", b"second")]
    sent, _ = await asked([part(0, more=False)], *ids, path="/nowhere")
    named = [value for name, value in sent[0]["headers"] if name == b"x-request-id"]
    assert named == [b"first"]
    assert json.loads(sent[1]["body"])["request_id"] == "first"
