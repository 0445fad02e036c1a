"""Forged and tampered tokens: one answer for every cause, and none of them opens a door."""

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import urlencode

import pytest

from tests.clients import Person, Socket
from tests.forging import FORGED
from tests.minting import claims_of, expired, kid_of
from tests.servers import ACCESS_SECONDS, World

REFUSED = {"type": "bye", "code": 4301, "reason": "invalid_token", "reconnect": "reauthenticate"}
DOORS = ["header", "sub-protocol", "query", "first frame"]
PROTOCOL_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")  # RFC 9110, section 5.6.2


@pytest.fixture(scope="module")
def dora(embedded: World) -> Person:
    """Dora is signed in."""
    return Person.register(embedded.server.url, "dora")


@asynccontextmanager
async def knocking(url: str, door: str, token: str) -> AsyncIterator[Socket]:
    """Bring a token to one of the doors of sockets."""
    options: dict[str, Any] = {}
    if door == "header":
        options["additional_headers"] = {"Authorization": f"Bearer {token}"}
    elif door == "sub-protocol":
        options["subprotocols"] = ["gapless.v1", f"bearer.{token}"]
    query = f"?{urlencode({'token': token})}" if door == "query" else ""
    async with Socket(f"{url}/ws/{query}", **options) as socket:
        if door == "first frame":
            await socket.command("auth", token=token)
        yield socket


def test_there_are_forgeries_enough_and_each_is_another(embedded: World, dora: Person) -> None:
    made = [forge(embedded, dora) for forge in FORGED.values()]
    assert len(set(made)) == len(made) > 80
    assert dora.tokens["access"] not in made


@pytest.mark.parametrize("kind", FORGED)
def test_forged_token_is_invalid_whatever_is_wrong_with_it(
    embedded: World, dora: Person, kind: str
) -> None:
    authorization = b"Bearer " + FORGED[kind](embedded, dora).encode("latin-1")
    response = Person(dora.url, {}).call("GET", "/me", headers={b"Authorization": authorization})
    problem = response.json()
    assert problem == {
        "type": "about:blank",
        "title": "Unauthorized",
        "status": 401,
        "detail": "The token is not valid.",
        "code": "invalid_token",
        "request_id": problem["request_id"],
        "retryable": False,
    }
    assert response.headers["WWW-Authenticate"] == "Bearer"
    dora.get("/me")


@pytest.mark.parametrize("kind", FORGED)
async def test_forged_token_opens_no_socket_through_any_door(
    embedded: World, dora: Person, kind: str
) -> None:
    token = FORGED[kind](embedded, dora)
    for door in DOORS:
        if door == "sub-protocol" and not PROTOCOL_NAME.fullmatch(token):
            continue  # no such token fits through this door
        async with knocking(dora.ws, door, token) as socket:
            assert await socket.closed() == (REFUSED, 4301), door
            assert socket.hello == {}


async def test_forged_token_renews_no_socket(embedded: World, dora: Person) -> None:
    async with dora.socket() as socket:
        await socket.opened()
        for kind, forge in FORGED.items():
            reply = await socket.ask("auth", token=forge(embedded, dora))
            assert (reply["type"], reply["code"]) == ("error", "invalid_token"), kind
        assert (await socket.ask("ping"))["type"] == "pong"


def test_socket_token_is_no_access_token(dora: Person) -> None:
    token = dora.expect(201, "POST", "/auth/socket-token")
    assert token == {"token": token["token"], "expires_in": 30}
    assert claims_of(token["token"])["typ"] == "socket"
    Person(dora.url, {"access": token["token"]}).refused(401, "invalid_token", "GET", "/me")


def test_token_that_was_true_some_hours_ago_has_expired(embedded: World, dora: Person) -> None:
    late = Person(dora.url, {"access": expired(embedded, dora.tokens["access"])})
    late.refused(401, "token_expired", "GET", "/me")
    forged = expired(embedded, Person.register(dora.url, "eve").tokens["access"])
    header, claims, _ = forged.split(".")
    eve = Person(dora.url, {"access": f"{header}.{claims}.{'A' * 43}"})
    eve.refused(401, "invalid_token", "GET", "/me")


def test_access_token_says_nothing_about_the_person(dora: Person) -> None:
    claims = claims_of(dora.tokens["access"])
    assert set(claims) == {"typ", "sid", "gen", "jti", "iat", "exp", "iss", "aud"}
    assert claims["exp"] - claims["iat"] == dora.tokens["expires_in"] == ACCESS_SECONDS
    assert claims["sid"] == dora.tokens["session"]["id"]
    assert re.fullmatch("[0-9a-f]{16}", kid_of(dora.tokens["access"]))


def test_token_in_the_query_is_no_token(dora: Person) -> None:
    nobody = Person(dora.url, {})
    token = dora.tokens["access"]
    nobody.refused(401, "not_authenticated", "GET", f"/sync?token={token}")
    nobody.refused(401, "not_authenticated", "GET", "/me", headers={"Cookie": f"access={token}"})
