"""Requests are counted for their user, and what is no request for its address.

Naive forms that would fail: one counter for each process, each session or each token; counting
that reads first and writes later; counting by an address that the client may write itself.
"""

import contextlib
import json
import re
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest

from tests import servers
from tests.clients import Person, Socket, at_once, http
from tests.servers import Server, World, on_both_servers, one_world

TIGHT = {"requests_per_second": 0.01, "requests_burst": 3}  # nothing comes back in a test
# Nothing comes back while two hundred requests are made: the next one would after 17 minutes.
TWENTY = '{"requests_per_second": 0.001, "requests_burst": 20, "drain_seconds": 0.2}'


@pytest.fixture(scope="module")
def tight(world: World) -> Iterator[Server]:
    """A server that answers few requests."""
    with world.beside(TIGHT) as server:
        yield server


def limits_of(response: httpx.Response) -> tuple[str | None, str | None]:
    """Return what an answer says about more of its kind."""
    return response.headers.get("RateLimit-Policy"), response.headers.get("RateLimit")


@on_both_servers
def test_requests_above_the_burst_wait_and_every_answer_says_how_many_may_come(
    tight: Server,
) -> None:
    alice = Person.register(tight.url, "alice")
    found = [
        alice.call("GET", "/me"),
        alice.call("GET", "/rooms/01890000-0000-7000-8000-000000000000"),
        alice.call("POST", "/rooms", json={"nonsense": 1}),
        alice.call("GET", "/me"),
    ]
    assert [response.status_code for response in found] == [200, 404, 400, 429]
    policies, left = zip(*map(limits_of, found), strict=True)
    assert set(policies) == {'"requests";q=3;w=300'}
    assert all(re.fullmatch(r'"requests";r=\d;t=[1-3]?\d\d', item) for item in left)
    assert [item[13] for item in left] == ["2", "1", "0", "0"]
    problem = found[-1].json()
    assert problem == {
        "type": "about:blank",
        "title": "Too Many Requests",
        "status": 429,
        "detail": "Too much at once.",
        "code": "rate_limited",
        "request_id": found[-1].headers["X-Request-ID"],
        "retryable": True,
        "retry_after": problem["retry_after"],
    }
    assert 50 < problem["retry_after"] <= 100
    assert found[-1].headers["Retry-After"] == str(problem["retry_after"])


@on_both_servers
def test_requests_count_for_a_person_on_all_devices_and_for_nobody_else(tight: Server) -> None:
    alice, bob = (Person.register(tight.url, name) for name in ("alice", "bob"))
    phone, laptop = alice.login("phone"), alice.login("laptop")
    statuses = [who.call("GET", "/me").status_code for who in (phone, laptop, alice, laptop)]
    assert statuses == [200, 200, 200, 429]
    assert bob.call("GET", "/me").status_code == 200


@one_world
def test_signing_out_and_what_needs_no_token_is_never_too_much(tight: Server) -> None:
    alice = Person.register(tight.url, "alice")
    while alice.call("GET", "/me").status_code != 429:
        pass
    for path in ("/api/v1", "/healthz"):
        found = http.get(tight.url + path)
        assert (found.status_code, limits_of(found)) == (200, (None, None))
    assert alice.call("POST", "/auth/logout", json={}).status_code == 204


@one_world
def test_a_limit_of_null_says_nothing(world: World, alice: Person) -> None:
    assert limits_of(alice.call("GET", "/me")) == (None, None)


def test_of_two_hundred_requests_to_two_processes_twenty_pass_and_none_fails_without_redis(
    postgres_url: str,
) -> None:
    limits = json.loads(servers.LIMITS) | json.loads(TWENTY)
    with servers.clustered(postgres_url, LIMITS=json.dumps(limits)) as world:
        assert world.valkey is not None
        assert counted_together(world) == 20
        bob = Person.register(world.server.url, "bob")
        world.valkey.stop()
        assert flooded(world, bob) == 2 * 20, "each process counts for itself"
        world.valkey.start()


def counted_together(world: World) -> int:
    """Flood as somebody new, until Redis has answered all the while; return how many passed.

    It has a tenth of a second: on a busy machine that is not always enough.
    """
    while True:
        before = [server.log.count("Redis does not count") for server in world.servers]
        passed = flooded(world, Person.register(world.server.url, "alice"))
        if before == [server.log.count("Redis does not count") for server in world.servers]:
            return passed


def flooded(world: World, person: Person) -> int:
    """Make two hundred requests to two servers at once; return how many were answered."""
    calls: list[Callable[[], int]] = []
    with contextlib.ExitStack() as clients:
        for server in (world.server, world.other):
            pool = httpx.Client(limits=httpx.Limits(max_connections=20), timeout=60)
            calls += [asking(clients.enter_context(pool), server, person)] * 100
        statuses = at_once(*calls)
    assert set(statuses) <= {200, 429}
    return statuses.count(200)


def asking(client: httpx.Client, server: Server, person: Person) -> Callable[[], int]:
    """Return a call that makes a request and returns its status."""
    headers = {"Authorization": f"Bearer {person.tokens['access']}"}
    return lambda: client.get(f"{server.url}/api/v1/me", headers=headers).status_code


# --- what is no request ---------------------------------------------------------------------


@pytest.fixture(scope="module")
def strict(world: World) -> Iterator[Server]:
    """A server behind one proxy, that takes few requests which are none from one address."""
    limits = {"invalid_per_second": 0.01, "invalid_burst": 5}
    with world.beside(limits, TRUSTED_PROXY_COUNT="1") as server:
        yield server


def came_from(address: str) -> dict[str, str]:
    """Return the header that a proxy adds."""
    return {"X-Forwarded-For": address}


NONSENSE: list[tuple[str, str, dict[str, Any]]] = [
    ("GET", "/me", {}),
    ("GET", "/me", {"headers": {"Authorization": "Bearer nonsense"}}),
    ("POST", "/auth/login", {"content": b"{"}),
    ("POST", "/auth/refresh", {"json": {"refresh": "nonsense"}}),
    ("POST", "/auth/login", {"json": {"username": "nobody", "password": "wrong"}}),
    ("GET", "/users?q=%ff", {}),  # the door itself refuses these two
    ("POST", "/auth/login", {"content": b" " * 200_000}),
]


@on_both_servers
@pytest.mark.parametrize(("method", "path", "what"), NONSENSE)
def test_an_address_that_floods_with_nonsense_is_turned_away_at_the_door(
    strict: Server, method: str, path: str, what: dict[str, Any]
) -> None:
    address = f"192.0.2.{NONSENSE.index((method, path, what)) + strict.daphne * 100}"
    nobody = Person(strict.url, {})
    headers = what.get("headers", {}) | came_from(address)
    if "content" in what:
        headers |= {"Content-Type": "application/json"}
    statuses = [
        nobody.call(method, path, **what | {"headers": headers}).status_code for _ in range(30)
    ]
    assert statuses[5:] == [429] * 25, statuses
    refusal = nobody.call("GET", "", headers=came_from(address))
    assert refusal.json()["code"] == "rate_limited"
    assert 50 < int(refusal.headers["Retry-After"]) <= 100
    forged = came_from(f"198.51.100.1, {address}")
    assert nobody.call("GET", "", headers=forged).status_code == 429
    assert nobody.call("GET", "", headers=came_from("192.0.2.99")).status_code == 200
    assert http.get(f"{strict.url}/healthz", headers=came_from(address)).status_code == 200


@one_world
def test_what_good_clients_are_refused_counts_for_nothing(strict: Server) -> None:
    alice = Person.register(strict.url, "alice")
    revoked = alice.login()
    alice.expect(204, "POST", "/auth/logout-all")
    assert revoked.tokens["access"] != alice.tokens["access"]
    calls = [revoked.call("GET", "/me", headers=came_from("192.0.2.70")) for _ in range(30)]
    assert {call.json()["code"] for call in calls} == {"session_revoked"}


@one_world
async def test_handshakes_with_bad_tokens_count_as_well(strict: Server) -> None:
    codes = []
    for _ in range(10):
        headers = came_from("192.0.2.80") | {"Authorization": "Bearer nonsense"}
        async with Socket(f"{strict.ws}/ws/", additional_headers=headers) as socket:
            codes.append((await socket.closed())[1])
    assert codes[:4] == [4301] * 4
    assert codes[-1] == 4108
