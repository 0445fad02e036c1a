"""How a person is seen by others, on a socket and over REST, and waiting until they are."""

import asyncio
import time
from contextlib import AsyncExitStack
from typing import Any

import pytest

from tests.clients import Person, Socket, sender

SOON = 6.0  # two seconds by promise P8; the machine is busy, and the next bound is eighteen
GONE_SECONDS = 30.0  # twenty by promise P8, and a busy machine
NOTHING_SECONDS = 2.5


def item(person: Person, status: str, last_seen_at: str | None = None) -> dict[str, Any]:
    """Return how a person is shown."""
    return {"user": sender(person.user), "status": status, "last_seen_at": last_seen_at}


def presence(room: str, count: int, *items: dict[str, Any]) -> dict[str, Any]:
    """Return the frame."""
    return {"type": "presence", "room_id": room, "items": list(items), "count": count}


async def listening(stack: AsyncExitStack, person: Person, room: str) -> Socket:
    """Open a socket and subscribe it to a room."""
    socket = await (await stack.enter_async_context(person.socket())).opened()
    assert (await socket.subscribe(room))["refused"] == {}
    return socket


async def until_seen(socket: Socket, person: Person, status: str, seconds: float) -> dict[str, Any]:
    """Wait until a person is told to be seen like this; return how."""
    async with asyncio.timeout(seconds):
        while True:
            frame = await socket.shown("presence", seconds)
            for found in frame["items"]:
                if found["user"]["id"] == person.id and found["status"] == status:
                    assert isinstance(found, dict)
                    return found


def seen_in(viewer: Person, room: str) -> dict[str, str]:
    """Return how the people of a room are seen, over REST."""
    found = viewer.get(f"/rooms/{room}/presence")
    statuses = {shown["user"]["id"]: shown["status"] for shown in found["items"]}
    assert found["count"] == len([status for status in statuses.values() if status != "offline"])
    return statuses


async def until_rest(
    viewer: Person, room: str, person: Person, status: str, seconds: float
) -> None:
    """Wait until a person is seen like this over REST."""
    end = time.monotonic() + seconds
    while (await asyncio.to_thread(seen_in, viewer, room))[person.id] != status:
        assert time.monotonic() < end, f"not {status}"
        await asyncio.sleep(0.1)


async def nothing_told(socket: Socket, seconds: float = NOTHING_SECONDS) -> None:
    """Fail when anything about who is here is told."""
    with pytest.raises(TimeoutError):
        raise AssertionError(await socket.shown("presence", seconds))
