"""Past an address that floods with nonsense: whoever holds a valid token, and nobody else.

Naive forms that would fail: turn everybody at the address away, and with them all who share it
with the one who floods; let pass whatever looks like a token; ask the database who they are,
which is what a flood is after.
"""

import asyncio
import itertools
import threading
import uuid
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest
import pytest_asyncio
from pytest_django import Settings

from accounts import keys, tokens
from api import turned_away
from config.http import HttpDoor
from tests.clients import Person, Socket, http
from tests.doors import Visit, opened, story
from tests.minting import altered, expired, kid_of
from tests.servers import Server, World, on_both_servers, one_world

SECONDS = 60  # more than a test takes
_hosts = itertools.count(1)


@pytest.fixture(scope="module")
def strict(world: World) -> Iterator[Server]:
    """A server behind one proxy, from which nobody may ask nonsense twice in a minute."""
    limits = {"invalid_per_second": 1 / SECONDS, "invalid_burst": 1}
    with world.beside(limits, TRUSTED_PROXY_COUNT="1") as server:
        yield server


@pytest.fixture
def flooded(strict: Server) -> dict[str, str]:
    """The header of an address that has been turned away."""
    header = {"X-Forwarded-For": f"198.51.100.{next(_hosts)}"}
    nobody = Person(strict.url, {})
    nobody.call("GET", "/me", headers=header)
    assert nobody.call("GET", "/me", headers=header).status_code == 429
    return header


@pytest.fixture
def alice(strict: Server) -> Person:
    """Alice shares the address with the one who floods."""
    return Person.register(strict.url, "alice")


def asked(person: Person, method: str, path: str, **options: Any) -> str | int:
    """Return the status of what is done, or the code of what is refused."""
    answer = person.call(method, path, **options)
    refused = answer.content and answer.status_code >= 400
    return str(answer.json()["code"]) if refused else answer.status_code


@on_both_servers
def test_a_valid_access_token_passes_and_no_other(
    strict: Server, world: World, alice: Person, flooded: dict[str, str]
) -> None:
    assert asked(alice, "GET", "/me", headers=flooded) == 200
    assert asked(alice, "POST", "/auth/socket-token", headers=flooded) == 201
    access = alice.tokens["access"]
    for token in (access[:-2], access + "x", f"{access[:-9]}AAAAAAAAA", kid_of(access), "x.y.z"):
        forged = Person(strict.url, {"access": token})
        assert asked(forged, "GET", "/me", headers=flooded) == "rate_limited"
    late = Person(strict.url, {"access": expired(world, access)})
    assert asked(late, "GET", "/me", headers=flooded) == "token_expired", "to be refreshed"
    other = alice.expect(201, "POST", "/auth/socket-token")["token"]
    wrong_kind = Person(strict.url, {"access": other})
    assert asked(wrong_kind, "GET", "/me", headers=flooded) == "rate_limited"


@on_both_servers
def test_a_valid_refresh_token_passes_and_no_other(
    strict: Server, alice: Person, flooded: dict[str, str]
) -> None:
    nobody, first = Person(strict.url, {}), alice.tokens["refresh"]
    session, generation, secret = first.split(".")
    for token in (
        f"{session}.2.{secret}",
        f"{session}.{generation}.{secret[:-1]}",
        f"{session}.{generation}.{altered(secret)}",
        f"{session}.{generation}.{'x' * len(secret)}",
        "nonsense",
    ):
        for path in ("/auth/refresh", "/auth/logout"):
            refused = asked(nobody, "POST", path, json={"refresh": token}, headers=flooded)
            assert refused == "rate_limited"
    for said in (b"{", b"{}", b"[]", b'{"refresh": 1}', b'{"more": ""}', b" " * 9_000):
        content = flooded | {"Content-Type": "application/json"}
        for path in ("/auth/refresh", "/auth/logout"):
            assert asked(nobody, "POST", path, content=said, headers=content) == "rate_limited"
    again = nobody.call("POST", "/auth/refresh", json={"refresh": first}, headers=flooded)
    second = again.json()["refresh"]
    third = nobody.call("POST", "/auth/refresh", json={"refresh": second}, headers=flooded)
    body = {"refresh": third.json()["refresh"]}
    assert asked(nobody, "POST", "/auth/logout", json=body, headers=flooded) == 204
    assert asked(nobody, "POST", "/auth/refresh", json=body, headers=flooded) == "session_revoked"


@on_both_servers
def test_who_holds_a_token_may_sign_out_with_it(alice: Person, flooded: dict[str, str]) -> None:
    assert asked(alice, "POST", "/auth/logout", headers=flooded) == 204


@one_world
def test_a_token_lets_nobody_guess_or_make_accounts(alice: Person, flooded: dict[str, str]) -> None:
    body = {"username": alice.name, "password": "wrong"}
    for path in ("/auth/login", "/auth/register"):
        assert asked(alice, "POST", path, json=body, headers=flooded) == "rate_limited"


@on_both_servers
def test_a_link_with_a_token_for_files_passes(alice: Person, flooded: dict[str, str]) -> None:
    token = alice.expect(201, "POST", "/auth/download-token")["token"]
    nobody, path = Person(alice.url, {}), f"/attachments/{uuid.uuid4()}"
    assert asked(nobody, "GET", f"{path}?token={token}", headers=flooded) == "not_found"
    for other in (
        f"{path}?token={alice.tokens['access']}",
        f"{path}?token=x",
        path,
        f"/me?token={token}",
    ):
        assert asked(nobody, "GET", other, headers=flooded) == "rate_limited"


@one_world
def test_a_page_may_ask_whether_it_may_ask(strict: Server, flooded: dict[str, str]) -> None:
    """Its preflight brings no token; without it no browser would send the one it has."""
    wanted = {"Origin": "https://app.example", "Access-Control-Request-Method": "GET"}
    for path in ("/me", "/auth/refresh", "/auth/login"):
        found = http.options(f"{strict.url}/api/v1{path}", headers=flooded | wanted)
        assert found.status_code == 200
    assert http.options(f"{strict.url}/api/v1/me", headers=flooded).status_code == 429


@on_both_servers
async def test_valid_tokens_open_sockets_and_renew_them(
    strict: Server, world: World, alice: Person, flooded: dict[str, str]
) -> None:
    def opening(token: str) -> Socket:
        return Socket(f"{strict.ws}/ws/?token={token}", additional_headers=flooded)

    access = alice.tokens["access"]
    token = alice.expect(201, "POST", "/auth/socket-token")["token"]
    more = alice.expect(201, "POST", "/auth/socket-token")["token"]
    async with opening(access) as by_access, opening(token) as by_socket_token:
        for socket in (by_access, by_socket_token):
            await socket.opened()
            for renewal in (access, more):
                await socket.ok("auth", token=renewal)
                if renewal is more:
                    more = alice.expect(201, "POST", "/auth/socket-token")["token"]
            refused = await socket.ask("auth", token="nonsense")
            assert (refused["code"], refused["retry_after"] > 1) == ("rate_limited", True)
    async with opening("nonsense") as socket:
        bye, code = await socket.closed()
        assert (code, bye["reason"], bye["reconnect"]) == (4108, "rate_limited", "backoff")
        assert 1 < bye["retry_after"] <= SECONDS
    async with opening(expired(world, access)) as socket:
        assert (await socket.closed())[1] == 4300


# --- what it costs --------------------------------------------------------------------------


@pytest_asyncio.fixture
async def door(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[HttpDoor]:
    """A door that one address has flooded; it knows its key, and has no database to ask."""
    ring = keys.Ring((keys.of_environment(keys.ALWAYS),))
    monkeypatch.setattr(keys, "_read", keys._Read(ring, 0.0))
    turned_away.remember("invalid", "10.0.0.1", SECONDS)
    turned_away.remember("failures", "10.0.0.2", SECONDS)
    turned_away.remember("registrations", "10.0.0.2", SECONDS)
    async with opened(settings, "pool") as made:
        yield made
    turned_away._until.clear()


def bearing(token: str) -> list[tuple[bytes, bytes]]:
    return [(b"authorization", f"Bearer {token}".encode())]


@pytest.mark.parametrize(
    ("path", "body", "token"),
    [
        ("/api/v1/me", b"", None),
        ("/api/v1/me", b"", "nonsense"),
        ("/api/v1/auth/login", b"{", None),
        ("/api/v1/auth/refresh", b'{"refresh": "0.1.x"}', None),
        ("/api/v1/auth/refresh", b"{", None),
        ("/api/v1/auth/logout", b"{}", "nonsense"),
    ],
)
async def test_a_flood_takes_no_thread_and_asks_nobody(
    door: HttpDoor, monkeypatch: pytest.MonkeyPatch, path: str, body: bytes, token: str | None
) -> None:
    def never(*_: object, **__: object) -> None:
        raise AssertionError(threading.current_thread().name)

    visit = Visit(door, "POST", path, headers=bearing(token) if token else [])
    visit.say({"type": "http.request", "body": body})
    with monkeypatch.context() as patched:
        patched.setattr(asyncio.get_running_loop(), "run_in_executor", never)
        await visit.run()
    assert visit.sent[0]["status"] == 429
    assert "started" not in story.happened


@pytest.mark.parametrize("path", ["/api/v1/auth/login", "/api/v1/auth/register"])
async def test_an_address_that_has_guessed_too_much_is_turned_away_before_a_turn_is_taken(
    door: HttpDoor, path: str
) -> None:
    """The naive form asks Redis, and the database, about every guess it will not look at."""
    visit = Visit(door, "POST", path, client=("10.0.0.2", 1))
    await visit.run()
    assert (visit.sent[0]["status"], visit.taken) == (429, 0)
    assert "started" not in story.happened
    other = Visit(door, "POST", path, client=("10.0.0.3", 1))
    await other.whole()
    assert other.sent[0]["status"] == 404, "the views of this door"


def test_tokens_of_before_there_were_seals_are_not_known_at_the_door(settings: Settings) -> None:
    """They are good all the same, as is their successor, which has one."""
    given = tokens.first_refresh(uuid.uuid4())
    assert tokens.is_sealed(given)
    assert tokens.is_sealed(tokens.successor(given))
    bare = given._replace(secret=given.secret[: -tokens.SEAL_LENGTH])
    assert not tokens.is_sealed(bare)
    assert tokens.is_sealed(tokens.successor(bare))
    settings.SECRET_KEY = "another-secret-key-of-sufficient-length"
    assert not tokens.is_sealed(given)
