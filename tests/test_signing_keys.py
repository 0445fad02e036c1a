"""The ring of signing keys: changed under running servers, without signing anybody out."""

import asyncio
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import jwt
import psycopg
import pytest
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from pytest_django import Settings

from accounts import keys, rotation
from accounts.models import SigningKey
from api.errors import Conflict, Unavailable
from tests.clients import Person, Socket, http, until
from tests.locks import wait_for_locks
from tests.minting import claims_of, kid_of, minted, segment, signing_key
from tests.record import change, in_seconds
from tests.servers import ACCESS_SECONDS, World
from tests.servers import clustered as cluster

WAIT_SECONDS = keys.SETTLE_SECONDS + 15  # the deadline of a wait


@pytest.fixture(scope="module")
def ring(postgres_url: str) -> Iterator[World]:
    """Two servers whose keys only this file changes."""
    with cluster(postgres_url) as world:
        yield world


@pytest.fixture
def dora(ring: World) -> Person:
    """Dora is signed in."""
    return Person.register(ring.server.url, "dora")


def manage(world: World, *arguments: str) -> str:
    """Run the command; return what it says."""
    done = world.manage("signing_keys", *arguments)
    assert done.returncode == 0, done.stderr
    return done.stdout


def added(world: World, algorithm: str) -> str:
    """Add a key that does not sign before it is told to; return its id, known to both servers."""
    kid = manage(world, "rotate", "--algorithm", algorithm).split()[0]
    signs_from(world, kid, 3600)
    for server in world.servers:
        until(lambda url=server.url: kid in public_keys(url), WAIT_SECONDS)  # type: ignore[misc]  # a default
    return kid


def signs_from(world: World, kid: str, seconds: float) -> None:
    """Let a key sign from another time on."""
    statement = "UPDATE accounts_signingkey SET signs_from = %s WHERE kid = %s"
    change(world, statement, in_seconds(seconds), kid)


def public_keys(url: str) -> dict[str, dict[str, str]]:
    """Return what integrators are shown, by the id of the key."""
    response = http.get(url + "/.well-known/jwks.json")
    assert response.headers["content-type"] == "application/jwk-set+json"
    assert set(response.json()) == {"keys"}
    return {key["kid"]: key for key in response.json()["keys"]}


def fresh(person: Person) -> str:
    """Refresh; return the access token, which is signed now."""
    body = {"refresh": person.tokens["refresh"]}
    person.tokens.update(person.expect(200, "POST", "/auth/refresh", json=body))
    return str(person.tokens["access"])


def as_now(person: Person) -> Person:
    """Return the person with the tokens of now, whatever is refreshed later."""
    return Person(person.url, dict(person.tokens))


def test_first_key_is_the_one_of_the_environment(embedded: World) -> None:
    dora = Person.register(embedded.server.url, "dora")
    kid = kid_of(dora.tokens["access"])
    assert manage(embedded, "list") == f"{kid} HS256 always signs\n"
    assert public_keys(dora.url) == {}
    assert kid not in signing_key(embedded)


def test_new_key_signs_at_every_server_and_no_token_is_refused_meanwhile(
    ring: World, dora: Person
) -> None:
    """Against a key that signs at once, while other processes have not heard of it."""
    first, both = as_now(dora), [dora, dora.at(ring.other.url)]
    kid, said = manage(ring, "rotate").split(" ", 1)
    assert said.startswith("(HS256) signs from 20")
    assert f"{kid} HS256 " in manage(ring, "list")

    def both_sign_with_it() -> bool:
        tokens = [fresh(person) for person in both]
        for token in tokens:
            for person in both:
                assert Person(person.url, {"access": token}).get("/me") == dora.user
        return all(kid_of(token) == kid for token in tokens)

    assert not both_sign_with_it(), "its time has not come"
    until(both_sign_with_it, WAIT_SECONDS)
    for server in ring.servers:
        assert first.at(server.url).get("/me") == dora.user, "the former key is still believed"
    (line,) = [line for line in manage(ring, "list").splitlines() if line.endswith(" signs")]
    assert line.startswith(f"{kid} HS256 ")


@pytest.mark.parametrize("algorithm", ["ES256", "EdDSA"])
def test_integrators_verify_with_the_public_key(ring: World, dora: Person, algorithm: str) -> None:
    kid = added(ring, algorithm)
    signs_from(ring, kid, -0.001)
    until(lambda: kid_of(fresh(dora)) == kid, WAIT_SECONDS)
    key = public_keys(ring.other.url)[kid]
    assert set(key) - {"x", "y"} == {"kid", "alg", "use", "kty", "crv"}, "nothing private"
    said = jwt.decode(
        fresh(dora), jwt.PyJWK(key), algorithms=[algorithm], audience="gapless", issuer="gapless"
    )
    assert said["sid"] == dora.tokens["session"]["id"]


@pytest.mark.parametrize("algorithm", ["ES256", "EdDSA"])
def test_public_key_is_nobodys_secret(ring: World, dora: Person, algorithm: str) -> None:
    """Against verifiers that let the token choose: HS256 with what everybody may read."""
    kid = added(ring, algorithm)
    row = jwt.PyJWK(public_keys(dora.url)[kid]).key
    pem = row.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
    body = segment(claims_of(dora.tokens["access"]))
    for secret in (pem, pem.strip(), pem.replace("\n", "")):
        for alg in ("HS256", algorithm, "none"):
            header = segment({"alg": alg, "kid": kid, "typ": "JWT"})
            forged = Person(dora.url, {"access": minted(secret, header, body)})
            forged.refused(401, "invalid_token", "GET", "/me")


def test_key_of_another_algorithm_is_no_key(ring: World, dora: Person) -> None:
    """Against verifiers that look the key up and take the algorithm from the token."""
    first, second = added(ring, "ES256"), added(ring, "EdDSA")
    signs_from(ring, first, -0.001)
    until(lambda: kid_of(fresh(dora)) == first, WAIT_SECONDS)
    token = fresh(dora)
    _, body, signature = token.split(".")
    for header in (
        {"alg": "EdDSA", "kid": first, "typ": "JWT"},
        {"alg": "ES256", "kid": second, "typ": "JWT"},
        {"alg": "HS256", "kid": first, "typ": "JWT"},
    ):
        forged = Person(dora.url, {"access": f"{segment(header)}.{body}.{signature}"})
        forged.refused(401, "invalid_token", "GET", "/me")


def test_key_is_dropped_when_its_last_token_has_expired_and_is_not_remembered(
    ring: World, dora: Person
) -> None:
    """Against a cache of believed tokens that knows nothing of keys."""
    first, former = as_now(dora), kid_of(dora.tokens["access"])
    kid = added(ring, "EdDSA")
    signs_from(ring, kid, -0.001)
    until(lambda: kid_of(fresh(dora)) == kid, WAIT_SECONDS)
    both = [first.at(server.url) for server in ring.servers]
    for person in both:
        assert person.get("/me") == dora.user
    assert former not in manage(ring, "prune"), "its tokens may still be good"
    signs_from(ring, former, -2 * ACCESS_SECONDS)
    signs_from(ring, kid, -1.5 * ACCESS_SECONDS)
    assert former in manage(ring, "prune")
    for person in both:
        until(lambda person=person: person.call("GET", "/me").status_code == 401, WAIT_SECONDS)  # type: ignore[misc]  # a default
        person.refused(401, "invalid_token", "GET", "/me")
    assert Person(dora.url, {"access": fresh(dora)}).get("/me") == dora.user, "still signed in"


def test_key_that_somebody_else_has_is_dropped_at_once(ring: World, dora: Person) -> None:
    manage(ring, "rotate")
    newest = added(ring, "EdDSA")
    manage(ring, "prune", "--at-once")
    assert manage(ring, "list").split()[0] == newest
    until(lambda: dora.call("GET", "/me").status_code == 401, WAIT_SECONDS)
    dora.refused(401, "invalid_token", "GET", "/me")
    until(lambda: kid_of(fresh(dora)) == newest, WAIT_SECONDS)
    assert Person(dora.url, {"access": fresh(dora)}).get("/me") == dora.user


async def test_sockets_end_with_the_key_that_let_them_in(ring: World, dora: Person) -> None:
    """Against looking at a token when it comes, and never again.

    A socket token that somebody has forged opens a socket for as long as its session lives.
    """
    # What another test has left may sign from tomorrow on, and would be the one that is kept.
    change(ring, "UPDATE accounts_signingkey SET signs_from = %s", in_seconds(-3600))
    token = dora.expect(201, "POST", "/auth/socket-token")["token"]
    by_socket_token = Socket(f"{dora.ws}/ws/?token={token}")
    elsewhere, renewed = dora.at(ring.other.url).socket(), dora.socket()
    async with dora.socket() as first, by_socket_token, elsewhere, renewed:
        for socket in (first, by_socket_token, elsewhere, renewed):
            await socket.opened()
        newest = await asyncio.to_thread(added, ring, "EdDSA")
        signs_from(ring, newest, -0.001)
        await asyncio.to_thread(until, lambda: kid_of(fresh(dora)) == newest, WAIT_SECONDS)
        await renewed.ok("auth", token=dora.tokens["access"])
        await asyncio.to_thread(manage, ring, "prune", "--at-once")
        for socket in (first, by_socket_token, elsewhere):
            assert await socket.closed(WAIT_SECONDS) == (
                {
                    "type": "bye",
                    "code": 4301,
                    "reason": "invalid_token",
                    "reconnect": "reauthenticate",
                },
                4301,
            )
        assert (await renewed.ask("ping"))["type"] == "pong"
        async with dora.socket() as again:
            await again.opened()


@pytest.fixture
def alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing of a ring is remembered, before and after."""
    monkeypatch.setattr(keys, "_read", None)


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("algorithm", keys.ALGORITHMS)
def test_no_key_is_in_clear_in_the_database(alone: None, algorithm: keys.Algorithm) -> None:
    row = rotation.rotate(algorithm=algorithm)
    key = keys.opened(row)
    assert key is not None
    assert len(key.material) > 60
    for part in (key.material, "PRIVATE KEY"):
        assert part.encode() not in bytes(row.sealed or b"")
    assert key.material not in repr(key)


@pytest.mark.django_db(transaction=True)
def test_keys_that_cannot_be_opened_sign_and_prove_nothing(
    alone: None, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Against falling back to the environment's key, which may have been dropped for a reason."""
    rotation.rotate(algorithm="HS256")
    rotation.prune(at_once=True)
    (only,) = keys.current().keys
    assert only.kid != keys.of_environment(keys.ALWAYS).kid
    settings.SECRET_KEY = "another-secret-key-of-sufficient-length"
    monkeypatch.setattr(keys, "_read", None)
    with pytest.raises(Unavailable):
        keys.current()
    for at_once in (False, True):
        with pytest.raises(Conflict):
            rotation.prune(at_once=at_once)
    rotation.rotate(algorithm="HS256")
    (other,) = keys.current().keys
    assert other.kid != only.kid


@pytest.mark.django_db(transaction=True)
def test_another_key_in_the_environment_does_not_take_the_place_of_the_former(
    alone: None, settings: Settings
) -> None:
    rotation.rotate(algorithm="HS256")
    settings.JWT_SIGNING_KEY = "another-signing-key-of-sufficient-length"
    (only,) = keys.current().keys
    assert only.kid == SigningKey.objects.exclude(sealed=None).get().kid


def test_two_that_rotate_first_both_add_a_key(postgres_url: str) -> None:
    """Against looking whether the first key is there, and then adding it: a traceback for one."""
    with cluster(postgres_url, servers=1) as world:
        first = manage(world, "list").split()[0]
        with (
            psycopg.connect(world.postgres_url or "") as other,
            psycopg.connect(world.postgres_url or "", autocommit=True) as watcher,
            ThreadPoolExecutor(1) as threads,
        ):
            other.execute(
                "INSERT INTO accounts_signingkey (kid, algorithm, signs_from)"
                " VALUES (%s, 'HS256', now())",
                [first],
            )
            second = threads.submit(manage, world, "rotate")
            wait_for_locks(watcher, 1)
            other.commit()
            kid = second.result().split()[0]
        kids = [line.split()[0] for line in manage(world, "list").splitlines()]
        assert kids == [first, kid]
