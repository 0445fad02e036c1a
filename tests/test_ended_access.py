"""A socket never outlives its permission, whatever the channel layer does.

Every way in which access ends, at one server, with the sockets at another. What a naive service
does, and fails here: it believes a socket for as long as it is open (all of them), leaves it to
the channel layer to tell it (*dead*, *drops*), asks for permission at the beginning of a replay
only, or answers the socket's own commands from what it knew when it was opened.
"""

import asyncio
from collections.abc import Iterator
from contextlib import AsyncExitStack

import pytest

from tests import servers
from tests.endings import ENDINGS
from tests.endings.ending import Ending
from tests.servers import World

SECONDS = {"up": 1.0, "drops": 5.0, "dead": 5.0}  # promise P9, by what becomes of Redis

Outcome = float | BaseException


@pytest.fixture(scope="module")
def world(postgres_url: str) -> Iterator[World]:
    """Two servers that hear each other, and a third that what they say never reaches."""
    with servers.clustered(postgres_url) as made:
        made.start(REDIS_PREFIX="elsewhere")
        yield made


async def played(world: World, layer: str) -> dict[str, Outcome]:
    """Let access end in every way: together, or one by one where it takes but an instant."""
    here, there, unreached = world.servers
    endings: dict[str, Ending] = {}
    for name, way in ENDINGS.items():
        far = unreached if layer == "drops" else there
        endings[name] = await asyncio.to_thread(way, world, here, far)
    async with AsyncExitStack() as stack:
        for ending in endings.values():
            await ending.open(stack)
        if layer == "dead":
            assert world.valkey is not None
            world.valkey.stop()
        turn = asyncio.Semaphore(1 if layer == "up" else len(endings))

        async def in_turn(ending: Ending) -> float:
            async with turn:
                return await ending.play()

        plays = [in_turn(ending) for ending in endings.values()]
        found = await asyncio.gather(*plays, return_exceptions=True)
    return dict(zip(endings, found, strict=True))


@pytest.fixture(scope="module", params=SECONDS)
def outcomes(request: pytest.FixtureRequest, world: World) -> tuple[float, dict[str, Outcome]]:
    """What became of every ending, and how long it may take; Redis dies in the last one."""
    return SECONDS[request.param], asyncio.run(played(world, request.param))


@pytest.mark.parametrize("ending", ENDINGS)
def test_sockets_end_with_their_permission(
    outcomes: tuple[float, dict[str, Outcome]], ending: str
) -> None:
    allowed, found = outcomes
    outcome = found[ending]
    if isinstance(outcome, BaseException):
        raise outcome
    assert outcome <= allowed
