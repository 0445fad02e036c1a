"""What a session may be refreshed, and a user may open sockets: counted like any other request.

Naive forms that would fail: count only what comes with an access token; count handshakes, and
renewals with them; look whether a session has ended behind the lock that others wait for.
"""

from collections.abc import Iterator

import pytest

from tests.clients import Person, Socket
from tests.locks import held
from tests.servers import Server, World, one_world

MEAN = {"requests_per_second": 0.001, "requests_burst": 4}


@pytest.fixture(scope="module")
def mean(world: World) -> Iterator[Server]:
    """A server of which little may be asked."""
    with world.beside(MEAN) as server:
        yield server


@pytest.fixture
def alice(mean: Server) -> Person:
    """Alice is at that server."""
    return Person.register(mean.url, "alice")


def asked(person: Person, path: str, refresh: str | None = None) -> str | int:
    """Use a refresh token; return the status, or the code of a refusal."""
    body = {"refresh": refresh or person.tokens["refresh"]}
    answer = Person(person.url, {}).call("POST", path, json=body)
    return str(answer.json()["code"]) if answer.status_code >= 400 else answer.status_code


@one_world
def test_a_session_is_refreshed_so_often_and_another_as_often(alice: Person) -> None:
    other = alice.login("other")
    for person in (alice, other):
        found = [asked(person, "/auth/refresh") for _ in range(6)]
        assert found == [*[200] * 4, *["rate_limited"] * 2]
    assert alice.get("/me") == alice.user, "it is counted apart"


@one_world
def test_who_does_not_hold_the_secret_takes_nothing_from_who_does(alice: Person) -> None:
    """Against counting by the session that a token names: it is no secret."""
    session, generation, secret = alice.tokens["refresh"].split(".")
    forged = f"{session}.{generation}.{secret[::-1]}"
    for path in ("/auth/refresh", "/auth/logout"):
        assert [asked(alice, path, forged) for _ in range(6)] == ["invalid_token"] * 6
    assert asked(alice, "/auth/refresh") == 200
    assert asked(alice, "/auth/logout") == 204


@one_world
def test_who_has_refreshed_too_often_may_still_sign_out(alice: Person) -> None:
    while asked(alice, "/auth/refresh") != "rate_limited":
        pass
    found = [asked(alice, "/auth/logout") for _ in range(6)]
    assert found == [*[204] * 4, *["rate_limited"] * 2]
    alice.refused(401, "session_revoked", "GET", "/me")


def test_what_has_ended_waits_for_nobody(clustered: World) -> None:
    alice = Person.register(clustered.server.url, "alice")
    alice.expect(204, "POST", "/auth/logout")
    with held(clustered, alice.id):
        assert asked(alice, "/auth/refresh") == "session_revoked"
        assert asked(alice, "/auth/logout") == 204


@one_world
async def test_opening_a_socket_is_a_request_and_renewing_it_is_none(alice: Person) -> None:
    renewal = alice.login("renewal")
    first = alice.socket()
    async with first as socket, Socket(f"{alice.ws}/ws/") as by_frame:
        await socket.opened()
        await by_frame.command("auth", token=alice.tokens["access"])
        await by_frame.opened()
        token = alice.expect(201, "POST", "/auth/socket-token")["token"]
        for _ in range(8):
            await socket.ok("auth", token=alice.tokens["access"])
        async with Socket(f"{alice.ws}/ws/?token={token}") as by_socket_token:
            await by_socket_token.opened()
        async with alice.socket() as fourth:
            await fourth.opened()
        async with alice.socket() as refused:
            await check_limited(refused)
        async with renewal.socket() as refused:
            await check_limited(refused)
        async with Socket(f"{alice.ws}/ws/") as late:
            await late.command("auth", token=alice.tokens["access"])
            await check_limited(late)
        await socket.ok("auth", token=alice.tokens["access"])
    assert alice.call("GET", "/me").status_code == 429


async def check_limited(socket: Socket) -> None:
    """Expect that the first frame is the last, and says how long to wait."""
    bye = await socket.receive()
    retry_after = bye.pop("retry_after")
    told = {"type": "bye", "code": 4108, "reason": "rate_limited", "reconnect": "backoff"}
    assert (bye, 1 < retry_after <= 1000) == (told, True)
    assert await socket.closed() == ({}, 4108)
