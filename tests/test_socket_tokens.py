"""Socket tokens: one handshake each, whoever comes first, and how long the socket then lives."""

import asyncio
import uuid
from collections.abc import Iterator
from datetime import timedelta

import pytest

from accounts import forgetting, passes
from accounts.tokens import Claims
from api.clock import now
from api.errors import InvalidToken
from tests.clients import Person, Socket
from tests.minting import expired
from tests.record import change, in_seconds
from tests.servers import World

HANDSHAKES = 100
EXPIRED = {"type": "bye", "code": 4300, "reason": "token_expired", "reconnect": "reauthenticate"}


@pytest.fixture
def doors(world: World) -> Iterator[list[str]]:
    """Two processes on one database, whatever it is."""
    if world.server is not world.other:
        yield [server.ws for server in world.servers[:2]]
        return
    with world.beside({}) as second:
        yield [world.server.ws, second.ws]


def socket_token(person: Person) -> str:
    """Get a token for one handshake."""
    return str(person.expect(201, "POST", "/auth/socket-token")["token"])


def session_ends(world: World, person: Person, seconds: float) -> None:
    """Let this session's time run out then."""
    session = uuid.UUID(person.tokens["session"]["id"])
    statement = "UPDATE accounts_session SET expires_at = %s WHERE id = %s"
    change(world, statement, in_seconds(seconds), session)


async def test_of_a_hundred_handshakes_with_one_token_one_gets_in(
    doors: list[str], alice: Person
) -> None:
    """Against looking whether it was used, and noting that it is afterwards."""
    token = socket_token(alice)

    async def knock(url: str) -> str:
        async with Socket(f"{url}/ws/?token={token}", open_timeout=30) as socket:
            first = await socket.receive(30)
            if first["type"] == "hello":
                return "hello"
            assert (first["code"], await socket.closed()) == (4301, ({}, 4301))
            return str(first["reason"])

    answers = await asyncio.gather(*(knock(doors[n % 2]) for n in range(HANDSHAKES)))
    assert sorted(answers) == ["hello"] + ["invalid_token"] * (HANDSHAKES - 1)


async def test_a_token_that_renewed_a_socket_opens_none(doors: list[str], alice: Person) -> None:
    token = socket_token(alice)
    async with alice.socket() as socket:
        await socket.opened()
        await socket.ok("auth", token=token)
        reply = await socket.ask("auth", token=token)
        assert reply["code"] == "invalid_token"
    for url in doors:
        async with Socket(f"{url}/ws/?token={token}") as refused:
            assert (await refused.closed())[1] == 4301


@pytest.mark.django_db(transaction=True)
def test_a_used_token_is_used_though_it_expires_while_it_comes_again() -> None:
    """Against forgetting used tokens the moment they expire: the last to be read gets in."""
    past = now() - timedelta(milliseconds=1)
    claims = Claims("socket", uuid.uuid4(), 1, uuid.uuid4(), past)
    passes.redeem(claims=claims)
    forgetting.forget_used_socket_tokens(now())
    with pytest.raises(InvalidToken):
        passes.redeem(claims=claims)


async def test_a_late_token_is_told_to_be_late(world: World, alice: Person) -> None:
    late = expired(world, socket_token(alice))
    async with Socket(f"{alice.ws}/ws/?token={late}") as socket:
        assert await socket.closed() == (EXPIRED, 4300)


async def test_a_socket_ends_with_its_session_unless_that_goes_on(
    world: World, alice: Person
) -> None:
    bob = Person.register(world.other.url, "bob")
    for person in (alice, bob):
        session_ends(world, person, 4)
    mine, theirs = (
        Socket(f"{person.ws}/ws/?token={socket_token(person)}") for person in (alice, bob)
    )
    async with mine, theirs:
        for socket in (mine, theirs):
            assert 0 <= (await socket.opened()).hello["expires_in"] <= 4
        session_ends(world, bob, 3600)
        for socket in (mine, theirs):
            assert 0 < (await socket.until("auth.expiring"))["expires_in"] <= 2
        assert await mine.closed() == (EXPIRED, 4300)
        with pytest.raises(TimeoutError):
            await theirs.closed(2)
        assert (await theirs.ask("ping"))["type"] == "pong"
