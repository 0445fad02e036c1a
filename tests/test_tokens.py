"""Forged and tampered tokens: one answer for every cause, and none of them opens a door."""

import base64
import json
import uuid
from collections.abc import Callable
from typing import Any

import jwt
import pytest

from tests.clients import Person, Socket
from tests.minting import claims_of, expired, resigned, signing_key
from tests.servers import World

Forge = Callable[[World, Person], str]


@pytest.fixture(scope="module")
def dora(embedded: World) -> Person:
    """Dora is signed in."""
    return Person.register(embedded.server.url, "dora")


def encoded(part: Any) -> str:
    return base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=").decode()


def unsigned(world: World, person: Person) -> str:
    header = encoded({"alg": "none", "typ": "JWT"})
    return f"{header}.{encoded(claims_of(person.tokens['access']))}."


def signed(key: str | None = None, algorithm: str = "HS256", **header: Any) -> Forge:
    """Return how to sign the true claims in another way."""

    def forge(world: World, person: Person) -> str:
        claims = claims_of(person.tokens["access"])
        return jwt.encode(claims, key or signing_key(world), algorithm=algorithm, headers=header)

    return forge


def saying(**changes: Any) -> Forge:
    """Return how to say something else with the true key."""
    return lambda world, person: resigned(world, person.tokens["access"], **changes)


def flipped(world: World, person: Person) -> str:
    header, claims, signature = person.tokens["access"].split(".")
    return f"{header}.{claims}.{'A' if signature[0] != 'A' else 'B'}{signature[1:]}"


def other_claims(world: World, person: Person) -> str:
    header, _, signature = person.tokens["access"].split(".")
    claims = claims_of(person.tokens["access"]) | {"sid": str(uuid.uuid4())}
    return f"{header}.{encoded(claims)}.{signature}"


FORGED: dict[str, Forge] = {
    "no signature": unsigned,
    "no signature, in capitals": lambda world, person: unsigned(world, person).replace(
        encoded({"alg": "none", "typ": "JWT"}), encoded({"alg": "NONE", "typ": "JWT"})
    ),
    "signature cut off": lambda _, person: person.tokens["access"].rpartition(".")[0] + ".",
    "one letter changed": flipped,
    "other claims": other_claims,
    "another key": signed("another-key-that-is-just-as-long-as-ours"),
    "another algorithm": signed(algorithm="HS512", key="k" * 64),
    "another algorithm, our key": signed(algorithm="HS384"),
    "key in the header": signed(jwk={"kty": "oct", "k": "AA"}),
    "key elsewhere": signed(jku="https://keys.example/jwks.json"),
    "certificate elsewhere": signed(x5u="https://keys.example/x5u.pem"),
    "critical extension": signed(crit=["b64"]),
    "another issuer": saying(iss="elsewhere"),
    "another audience": saying(aud="elsewhere"),
    "no issuer": saying(iss=None),
    "no audience": saying(aud=None),
    "no end": saying(exp=None),
    "an end that is no number": saying(exp="never"),
    "an end beyond all time": saying(exp=10**20),
    "no type": saying(typ=None),
    "type of refresh": saying(typ="refresh"),
    "type that is no text": saying(typ=["access"]),
    "no session": saying(sid=None),
    "session that is no id": saying(sid="1"),
    "session that is no text": saying(sid=1),
    "unknown session": saying(sid=str(uuid.uuid4())),
    "no generation": saying(gen=None),
    "generation that is no number": saying(gen="x"),
    "no number": saying(jti=None),
    "not yet": saying(nbf=2**33),
    "refresh token": lambda _, person: person.tokens["refresh"],
    "nothing but dots": lambda *_: "..",
    "no token": lambda *_: "token",
    "very long": lambda *_: "a" * 20_000,
    "two": lambda _, person: f"{person.tokens['access']} {person.tokens['access']}",
    "other bytes": lambda *_: "\u00ff.\u00e4.\u00f6",
}


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


@pytest.mark.parametrize("kind", ["no signature", "another key", "type of refresh", "no audience"])
async def test_forged_token_opens_no_socket(embedded: World, dora: Person, kind: str) -> None:
    async with Socket(f"{dora.ws}/ws/?token={FORGED[kind](embedded, dora)}") as socket:
        bye, code = await socket.closed()
        assert (bye["reconnect"], code) == ("reauthenticate", 4301)
        assert socket.hello == {}


def test_socket_token_is_no_access_token(dora: Person) -> None:
    token = dora.expect(201, "POST", "/auth/socket-token")
    assert token == {"token": token["token"], "expires_in": 30}
    assert claims_of(token["token"])["typ"] == "socket"
    Person(dora.url, {"access": token["token"]}).refused(401, "invalid_token", "GET", "/me")


def test_token_that_was_true_an_hour_ago_has_expired(embedded: World, dora: Person) -> None:
    late = Person(dora.url, {"access": expired(embedded, dora.tokens["access"])})
    late.refused(401, "token_expired", "GET", "/me")
    forged = expired(embedded, Person.register(dora.url, "eve").tokens["access"])
    header, claims, _ = forged.split(".")
    eve = Person(dora.url, {"access": f"{header}.{claims}.{'A' * 43}"})
    eve.refused(401, "invalid_token", "GET", "/me")


def test_access_token_says_nothing_about_the_person(dora: Person) -> None:
    claims = claims_of(dora.tokens["access"])
    assert set(claims) == {"typ", "sid", "gen", "jti", "iat", "exp", "iss", "aud"}
    assert claims["exp"] - claims["iat"] == dora.tokens["expires_in"] == 300
    assert claims["sid"] == dora.tokens["session"]["id"]


def test_token_in_the_query_is_no_token(dora: Person) -> None:
    nobody = Person(dora.url, {})
    token = dora.tokens["access"]
    nobody.refused(401, "not_authenticated", "GET", f"/sync?token={token}")
    nobody.refused(401, "not_authenticated", "GET", "/me", headers={"Cookie": f"access={token}"})
