"""What one socket, or one key of Redis, has broken keeps no other socket from being counted.

Naive forms that would fail: a loop that ends with its first exception; a round that begins with
what failed in the last one; thousands of entries taken out of Redis one by one.
"""

import asyncio
import uuid
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from typing import Any, cast

import msgspec
import pytest
import pytest_asyncio
import redis

from realtime.broker import Tasks
from realtime.connection import Connection
from realtime.sockets import Sockets
from tests.backends import Valkey

LIMIT = 1
SECONDS = 30.0


@pytest.fixture
def keys(valkey: Valkey) -> redis.Redis:
    """What is in Redis."""
    found: redis.Redis = redis.Redis.from_url(valkey.url, decode_responses=True)
    return found


@pytest_asyncio.fixture
async def sockets(valkey: Valkey, settings: Any) -> AsyncIterator[Sockets]:
    """The sockets of a process, of which everybody may have one."""
    prefix = f"test-{uuid.uuid4().hex}"
    settings.ENV = replace(settings.ENV, redis_url=valkey.url, redis_prefix=prefix)
    settings.LIMITS = msgspec.structs.replace(settings.LIMITS, sockets=LIMIT)
    found = Sockets()
    tasks = Tasks()
    tasks.spawn(found.run())
    yield found
    await tasks.stop()


def opened(sockets: Sockets, user: str) -> Connection:
    """Open a socket of a person."""

    async def send(_: dict[str, Any]) -> None:
        """Nobody reads."""

    connection = Connection(send)
    connection.user_id, connection.session_id = user, "s"
    sockets.opened(connection)
    return connection


async def until(true: Callable[[], Any]) -> None:
    """Wait until something is so."""
    async with asyncio.timeout(SECONDS):
        while not true():  # noqa: ASYNC110  what happens in Redis sets no event
            await asyncio.sleep(0.02)


def key_of(settings: Any, user: str) -> str:
    return f"{settings.ENV.redis_prefix}:sockets:of:{user}"


async def test_the_rounds_go_on_after_one_that_failed(
    sockets: Sockets, caplog: pytest.LogCaptureFixture
) -> None:
    broken = cast(Connection, type("Broken", (), {"id": "0"})())
    sockets.opened(broken)
    first, second = opened(sockets, "alice"), opened(sockets, "alice")
    await until(lambda: first.closing is not None)
    assert second.closing is None
    assert "sockets were not counted" in caplog.text


async def test_an_entry_that_redis_refuses_holds_up_no_other(
    sockets: Sockets, keys: redis.Redis, settings: Any
) -> None:
    keys.set(key_of(settings, "alice"), "no hash")
    opened(sockets, "alice")
    bob = opened(sockets, "bob")
    await until(lambda: keys.hkeys(key_of(settings, "bob")) == [str(bob.id)])
    keys.set(f"{settings.ENV.redis_prefix}:sockets:close:{sockets._process}", "no set")
    carol = opened(sockets, "carol")
    await until(lambda: keys.hkeys(key_of(settings, "carol")) == [str(carol.id)])


async def test_what_has_ended_leaves_redis_together_also_beside_what_it_refuses(
    sockets: Sockets, keys: redis.Redis, settings: Any
) -> None:
    people = [f"user-{number}" for number in range(500)]
    names = [key_of(settings, person) for person in people]
    found = [opened(sockets, person) for person in people]
    await until(lambda: keys.exists(*names) == len(names))
    keys.set(names[0], "no hash")
    before = trips(keys)
    for connection in found:
        sockets.ended(connection)
    await until(lambda: keys.exists(*names) == 1)
    assert trips(keys) - before < len(names) / 2


def trips(keys: redis.Redis) -> int:
    """Return how often Redis has read something from a client."""
    found: Any = keys.info("stats")
    return int(found["total_reads_processed"])
