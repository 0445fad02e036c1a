"""``/metrics``: what it counts, and who may read it.

The naive form asks for the client's address, which a header names or a proxy on the same
machine has: with it everybody on the internet is a neighbour.
"""

import re
import secrets
from collections.abc import Iterator
from typing import Any

import pytest

from config.http import HttpDoor
from tests.clients import Person, http
from tests.doors import Visit
from tests.servers import World

TOKEN = secrets.token_urlsafe(24)


@pytest.fixture(scope="module", params=["0", "1"])
def guarded(embedded: World, request: pytest.FixtureRequest) -> Iterator[str]:
    """A server with a token, with and without a proxy in front."""
    proxies = {"TRUSTED_PROXY_COUNT": request.param}
    with embedded.beside({}, METRICS_TOKEN=TOKEN, **proxies) as server:
        yield server.url


def figures(url: str, **headers: str) -> dict[str, float]:
    """Return every sample by its name and labels, without the process."""
    answer = http.get(f"{url}/metrics", headers=headers)
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/plain; version=")
    found = re.findall(r"^(\w+)\{(.*)\} (\S+)$", answer.text, re.MULTILINE)
    return {
        ",".join([name, *sorted(set(labels.split(",")) - {process_of(labels)})]): float(value)
        for name, labels, value in found
    }


def process_of(labels: str) -> str:
    """Return the label that says the process."""
    return next(label for label in labels.split(",") if label.startswith("process="))


async def test_what_happens_is_counted_where_it_happens(embedded: World) -> None:
    with embedded.beside({}) as server:
        alice = Person.register(server.url, "alice")
        room = alice.create_room()["id"]
        before = figures(server.url)
        alice.send(room)
        alice.refused(404, "not_found", "GET", "/nothing")
        async with alice.socket() as first, alice.socket() as second:
            for opened in (first, second):
                await opened.opened()
                await opened.subscribe(room, since=0)
            await first.ok("message.send", room_id=room, text="hello")
            await first.ask("message.send", room_id=room)
            for opened in (first, second):
                await opened.reach(room, 3)
            during = figures(server.url)
        async with alice.socket("/nowhere") as refused:
            await refused.closed()
        after = figures(server.url)
    grown = {name: value - before.get(name, 0) for name, value in during.items()}
    route = 'route="api/v1/rooms/<uuid:room_id>/messages"'
    assert grown[f'gapless_http_requests_total,method="POST",{route},status="201"'] == 1
    assert grown[f'gapless_http_request_seconds_count,method="POST",{route}'] == 1
    assert grown['gapless_http_requests_total,method="GET",route="none",status="404"'] == 1
    assert grown["gapless_messages_sent_total"] == 2
    assert grown["gapless_socket_commands_total"] == 4
    assert grown["gapless_socket_commands_refused_total"] == 1
    assert grown["gapless_replay_pages_total"] >= 2
    assert grown["gapless_frames_written_total"] >= 10
    assert during["gapless_sockets"] == 2
    assert (during["gapless_channel_layer_up"], during["gapless_draining"]) == (1, 0)
    assert after['gapless_socket_closes_total,code="4003"'] == 1


def test_every_sample_names_its_process(embedded: World) -> None:
    text = http.get(f"{embedded.server.url}/metrics").text
    samples = [line for line in text.splitlines() if line and not line.startswith("#")]
    assert samples
    assert all(f'process="{embedded.server.process.pid}"' in line for line in samples)


@pytest.mark.parametrize(
    "headers",
    [
        {"X-Forwarded-For": "127.0.0.1"},
        {"X-Forwarded-For": "::1, 127.0.0.1"},
        {"X-Real-IP": "127.0.0.1"},
        {"Forwarded": "for=127.0.0.1"},
        {"Via": "1.1 proxy"},
        {"X-Forwarded-For": "203.0.113.7", "Authorization": "Bearer"},
        {"X-Forwarded-For": "203.0.113.7", "Authorization": "Bearer None"},
        {"X-Forwarded-For": "203.0.113.7", "Authorization": f"Bearer {TOKEN}x"},
        {"X-Forwarded-For": "203.0.113.7", "Authorization": f"Bearer {TOKEN[:-1]}"},
        {"X-Forwarded-For": "203.0.113.7", "Authorization": TOKEN},
    ],
)
def test_what_a_proxy_passes_on_is_of_nobody_here(guarded: str, headers: dict[str, str]) -> None:
    assert_nothing_is_there(guarded, headers)


def test_a_token_opens_it_from_anywhere_and_without_one_configured_none_does(
    guarded: str, embedded: World
) -> None:
    afar = {"X-Forwarded-For": "203.0.113.7", "Authorization": f"Bearer {TOKEN}"}
    assert figures(guarded, **afar)
    assert_nothing_is_there(embedded.server.url, afar)
    assert_nothing_is_there(embedded.server.url, afar | {"Authorization": "Bearer None"})


def assert_nothing_is_there(url: str, headers: dict[str, str]) -> None:
    hidden = http.get(f"{url}/metrics", headers=headers)
    absent = http.get(f"{url}/metricks", headers=headers)
    assert hidden.status_code == absent.status_code == 404
    for answer in (hidden, absent):
        problem = answer.json()
        del problem["request_id"]
        assert problem["detail"] == "There is no such path."


@pytest.mark.parametrize(
    ("peer", "status"),
    [
        (("127.0.0.1", 4711), 200),
        (("127.8.8.8", 4711), 200),
        (("::1", 4711), 200),
        (("10.0.0.1", 4711), 404),
        (("203.0.113.7", 4711), 404),
        (("2001:db8::1", 4711), 404),
        (("", 0), 404),
        (None, 404),
    ],
)
async def test_it_is_the_peer_that_must_be_this_machine(peer: Any, status: int) -> None:
    door = HttpDoor()
    visit = Visit(door, "GET", "/metrics", client=peer)
    start, *_ = await visit.whole()
    await door.end()
    assert start["status"] == status
