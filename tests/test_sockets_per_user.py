"""How many sockets a person has, on all processes: the one too many closes, and which one.

Naive forms that would fail: count in each process; look how many there are and enter one more
afterwards; count for ever what a process had that is gone.
"""

import asyncio
import contextlib
import itertools
import json
import socket as sockets
import time
import uuid
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest
import pytest_asyncio

from realtime.registry import Entry, LocalRegistry, RedisRegistry, Registry
from tests import servers
from tests.backends import Valkey
from tests.clients import Person, Socket
from tests.deaf import Deaf
from tests.servers import Server, World, on_both_servers

TOO_MANY = {"type": "bye", "code": 4010, "reason": "too_many_connections", "reconnect": "no"}
LIMIT = 3
LEASE_SECONDS = 2.0
_numbers = itertools.count(1)


# --- the registry ---------------------------------------------------------------------------


@pytest_asyncio.fixture(params=["own", "redis"])
async def registry(request: pytest.FixtureRequest) -> AsyncIterator[Registry]:
    """Both forms, with a short lease."""
    if request.param == "own":
        yield LocalRegistry(LEASE_SECONDS)
        return
    url = request.getfixturevalue("valkey").url
    shared = RedisRegistry(url, f"test-{uuid.uuid4().hex}", LEASE_SECONDS)
    yield shared
    await shared.close()


def entry(session: str = "s", *, user: str = "u", process: str = "p", owes: bool = False) -> Entry:
    """Return an entry that is newer than all before it."""
    return Entry(user, f"{next(_numbers):08}", session, process, owes)


async def entered(registry: Registry, *entries: Entry, limit: int = 100) -> list[Entry]:
    """Enter these; return those that are too many after the last."""
    gone: list[Entry] = []
    for one in entries:
        gone = await registry.enter(one, limit)
    return gone


async def test_the_oldest_goes_when_there_are_too_many(registry: Registry) -> None:
    first, second, third = entry("a"), entry("b"), entry("c", process="q")
    assert await entered(registry, first, second, third, limit=3) == []
    assert await registry.enter(entry("d"), 3) == [first]
    assert await registry.enter(entry("e"), 3) == [second]
    assert await registry.enter(entry("f", user="another"), 3) == []


async def test_the_oldest_of_the_same_session_goes_before_older_ones(registry: Registry) -> None:
    old, same, newer = entry("a"), entry("b"), entry("b")
    await entered(registry, old, same, newer)
    assert await registry.enter(entry("b"), 3) == [same]


async def test_who_owes_a_pong_goes_before_all_others(registry: Registry) -> None:
    old, same, silent = entry("a"), entry("b"), entry("c")
    await entered(registry, old, same, silent)
    assert await registry.renew([silent._replace(owes=True)]) == []
    assert await registry.enter(entry("b"), 3) == [silent._replace(owes=True)]


async def test_a_lower_limit_closes_several_at_once(registry: Registry) -> None:
    found = [entry(str(number)) for number in range(5)]
    await entered(registry, *found)
    assert await registry.enter(entry("new"), 2) == found[:4]


async def test_of_many_that_enter_at_once_as_many_stay_as_may(registry: Registry) -> None:
    found = [entry(str(number)) for number in range(50)]
    gone = await asyncio.gather(*[registry.enter(one, 20) for one in found])
    names = [one.connection for several in gone for one in several]
    assert len(names) == len(set(names)) == 30
    missing = await registry.renew(found)
    assert {one.connection for one in missing} == set(names)


async def test_who_leaves_makes_room(registry: Registry) -> None:
    found = [entry() for _ in range(3)]
    await entered(registry, *found)
    await registry.leave(found[1:2])
    await registry.leave(found[1:2])
    assert await registry.renew(found) == found[1:2]
    assert await registry.enter(entry(), 3) == []


async def test_what_is_not_renewed_ends_with_its_lease(registry: Registry) -> None:
    kept, lost = entry("a"), entry("b", process="killed")
    await entered(registry, kept, lost)
    end = time.monotonic() + LEASE_SECONDS * 1.5
    while time.monotonic() < end:
        assert await registry.renew([kept]) == []
        await asyncio.sleep(LEASE_SECONDS / 8)
    assert await registry.enter(entry("c"), 2) == []
    assert await registry.renew([lost]) == [lost]


async def test_a_process_is_told_once_which_of_its_sockets_to_close(valkey: Valkey) -> None:
    shared = RedisRegistry(valkey.url, f"test-{uuid.uuid4().hex}")
    here, there = entry(process="p"), entry(process="q")
    await shared.summon([here, there])
    assert await shared.summoned("p") == [here.connection]
    assert await shared.summoned("p") == []
    await shared.close()


# --- real sockets ---------------------------------------------------------------------------


@pytest.fixture(scope="module")
def narrow(world: World) -> Iterator[Server]:
    """A server at which a person has few sockets."""
    with world.beside({"sockets": LIMIT, "heartbeat_seconds": 1}) as server:
        yield server


async def opened(stack: contextlib.AsyncExitStack, *people: Person) -> list[Socket]:
    """Open a socket for each of these."""
    found = []
    for person in people:
        socket = await stack.enter_async_context(person.socket())
        found.append(await socket.opened())
    return found


async def still_open(*found: Socket) -> bool:
    """Tell whether all of these answer."""
    replies = [await socket.ask("ping") for socket in found]
    return all(reply["type"] == "pong" for reply in replies)


@on_both_servers
async def test_one_more_than_may_be_closes_the_oldest_of_the_session_else_the_oldest(
    narrow: Server,
) -> None:
    alice = Person.register(narrow.url, "alice")
    bob, phone, laptop = Person.register(narrow.url, "bob"), alice.login(), alice.login()
    async with contextlib.AsyncExitStack() as stack:
        first, second, third = await opened(stack, alice, phone, phone)
        (others,) = await opened(stack, bob)
        (fourth,) = await opened(stack, phone)
        assert await second.closed() == (TOO_MANY, 4010)
        (fifth,) = await opened(stack, laptop)
        assert await first.closed() == (TOO_MANY, 4010)
        assert await still_open(third, fourth, fifth, others)
        await third.connection.close()
        (sixth,) = await opened(stack, laptop)
        await asyncio.sleep(1)  # as long as it may take to close one
        assert await still_open(fourth, fifth, sixth)


@pytest.mark.parametrize("world", ["embedded"], indirect=True)
async def test_the_socket_that_does_not_answer_goes_first(narrow: Server) -> None:
    alice = Person.register(narrow.url, "alice")
    async with contextlib.AsyncExitStack() as stack:
        older = await opened(stack, alice, alice)
        with Deaf(f"{alice.ws}/ws/", alice.login().tokens["access"]) as deaf:
            await asyncio.to_thread(deaf.until, "hello")
            await asyncio.to_thread(deaf.socket.recv, 1, sockets.MSG_PEEK)  # a ping
            newest = await opened(stack, alice)
            frames, code = await asyncio.to_thread(deaf.rest)
            assert (frames[-1], code) == (TOO_MANY, 4010)
            assert await still_open(*older, *newest)


async def test_all_processes_count_together_and_each_for_itself_without_redis(
    postgres_url: str,
) -> None:
    limits = json.loads(servers.LIMITS) | {"sockets": LIMIT}
    with servers.clustered(postgres_url, LIMITS=json.dumps(limits)) as world:
        assert world.valkey is not None
        alice, bob = (Person.register(world.server.url, name) for name in ("alice", "bob"))
        assert await left_of(world, alice) == LIMIT
        world.valkey.stop()
        assert await left_of(world, bob) == 2 * LIMIT
        world.valkey.start()


async def left_of(world: World, person: Person, count: int = 12) -> int:
    """Open many sockets at once on two servers; return how many stay."""
    at = itertools.cycle([person.at(world.server.url), person.at(world.other.url)])
    async with contextlib.AsyncExitStack() as stack:
        found = await asyncio.gather(*[_open(stack, next(at)) for _ in range(count)])
        ends = await asyncio.gather(*[_end(socket) for socket in found])
    assert all(end == (TOO_MANY, 4010) for end in ends if end is not None), ends
    return ends.count(None)


async def _open(stack: contextlib.AsyncExitStack, person: Person) -> Socket:
    return (await opened(stack, person))[0]


async def _end(socket: Socket, seconds: float = 3.0) -> Any:
    """Return how a socket ends, None when it does not."""
    try:
        return await socket.closed(seconds)
    except TimeoutError:
        return None
