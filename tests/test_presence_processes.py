"""Who is here when processes end: no ghosts of a killed one, and without Redis what each knows.

The naive form would fail: here for ever, as the process that had the socket was killed.
"""

import asyncio
import signal
import time
from collections.abc import Iterator
from contextlib import AsyncExitStack
from functools import partial

import pytest

from tests import servers
from tests.clients import Person, Socket, at_once, until
from tests.seen import GONE_SECONDS, SOON, listening, seen_in, until_rest, until_seen
from tests.servers import World

GHOSTS, SOCKETS_EACH = 50, 4  # two hundred sockets, as promise P8 says


@pytest.fixture
def frail(postgres_url: str) -> Iterator[World]:
    """A world that is broken."""
    with servers.clustered(postgres_url) as made:
        yield made


async def test_a_killed_process_leaves_no_ghosts(frail: World) -> None:
    doomed = frail.start()
    alice = Person.register(frail.server.url, "alice")
    people = at_once(*[lambda: Person.register(frail.server.url, "ghost")] * GHOSTS)
    room = alice.create_room(*people)["id"]
    async with AsyncExitStack() as stack:
        hers = await listening(stack, alice, room)
        for person in people * SOCKETS_EACH:
            await (await stack.enter_async_context(person.at(doomed.url).socket())).opened()
        await until_count(hers, GHOSTS + 1, 10.0)
        doomed.stop(signal.SIGKILL)
        began = time.monotonic()
        await until_count(hers, 1, GONE_SECONDS)
        assert time.monotonic() - began > 5
        for viewer in (alice, alice.at(frail.servers[1].url)):  # each finds out for itself
            await asyncio.to_thread(until, partial(all_gone, viewer, room, GHOSTS), SOON)


def all_gone(viewer: Person, room: str, count: int) -> bool:
    """Tell whether so many people of a room are offline."""
    return list(seen_in(viewer, room).values()).count("offline") == count


async def until_count(socket: Socket, count: int, seconds: float) -> None:
    """Wait until so many are said to be here."""
    async with asyncio.timeout(seconds):
        while (await socket.shown("presence", seconds))["count"] != count:
            pass


async def test_without_redis_each_process_tells_what_it_knows(frail: World) -> None:
    assert frail.valkey is not None
    alice, bob = (Person.register(frail.server.url, name) for name in ("alice", "bob"))
    carol = Person.register(frail.server.url, "carol").at(frail.other.url)
    room = alice.create_room(bob, carol)["id"]
    async with AsyncExitStack() as stack:
        hers = await listening(stack, alice, room)
        frail.valkey.stop()
        await listening(stack, carol, room)
        his = await listening(stack, bob, room)
        await until_seen(hers, bob, "online", SOON)
        assert (await asyncio.to_thread(seen_in, alice, room))[carol.id] == "offline"
        frail.valkey.start()
        await until_seen(hers, carol, "online", 15.0)
        await his.connection.close()
        await until_rest(carol, room, bob, "offline", 15.0)
