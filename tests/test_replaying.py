"""How much of the log one connection's replay reads at once: what is about enough, never much more.

Naive form: a hundred small events, and so a thousand of the next ones, however large they are.
"""

import asyncio
import json
import uuid
from collections.abc import Callable
from itertools import pairwise
from typing import Any

import pytest

from api.log.frames import Frame
from api.log.reading import Range
from realtime import pool
from realtime.connection import Connection
from realtime.hub import Hub
from realtime.replaying import Replay
from realtime.subscription import Subscription
from tests.clients import until

ROOM = str(uuid.uuid4())
SMALL, COUNT = 100, 400  # events, from the first one on; in all
LARGE_TEXT = "😀" * 10_000
ENOUGH, FIRST = 1024 * 1024, 100  # bytes; events


async def send(_: Any) -> None:
    """Send nothing anywhere."""


def event(seq: int) -> Frame:
    text = "small" if seq <= SMALL else LARGE_TEXT
    return Frame(ROOM, seq, json.dumps({"seq": seq, "text": text}, ensure_ascii=False))


async def replayed(after: int, hub: Hub, connection: Connection, replay: Replay) -> None:
    """Have a connection that has been told so much told the rest."""
    hub.attach(connection, Subscription(ROOM, after, granted=COUNT), COUNT)
    replay.resume()
    await asyncio.to_thread(until, lambda: not connection.behind)
    hub.detach(connection, ROOM)


async def test_pages_grow_by_degrees_and_fit_in_bytes(monkeypatch: pytest.MonkeyPatch) -> None:
    pages = list[list[Frame]]()

    async def run(_: Callable[..., Any], ranges: list[Range]) -> dict[str, list[Frame]]:
        (asked,) = ranges
        pages.append([event(seq) for seq in range(asked.after + 1, asked.to + 1)])
        return {ROOM: pages[-1]}

    monkeypatch.setattr(pool, "run", run)
    hub, connection = Hub(), Connection(send)
    replay = Replay(hub, connection)
    await replayed(0, hub, connection, replay)
    assert [frame.seq for page in pages for frame in page] == list(range(1, COUNT + 1))
    assert len(pages[0]) == FIRST
    assert all(len(later) <= 2 * len(page) for page, later in pairwise(pages))
    sizes = [sum(len(str(frame.text).encode()) for frame in page) for page in pages]
    assert max(sizes[2:]) < 2 * ENOUGH, "as large as those before them"
    pages.clear()
    await replayed(0, hub, connection, replay)
    assert len(pages[0]) == FIRST, "what is behind another time may be larger"
