"""What a process tells the others: in order, in as few messages as there are groups."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from typing_extensions import override

from api.log import publish
from api.log.frames import Frame
from realtime import broker as module
from realtime.broker import Broker, Tasks
from realtime.local_layer import LocalChannelLayer

SECONDS = 30.0  # the deadline of a wait


class Layer(LocalChannelLayer):
    """A layer that can be made to take its time, and notes what it is given."""

    def __init__(self) -> None:
        super().__init__()
        self.open, self.asked = asyncio.Event(), asyncio.Event()
        self.sent: list[tuple[str, dict[str, Any]]] = []

    @override
    async def group_send(self, group: str, message: dict[str, Any]) -> None:
        self.sent.append((group, message))
        self.asked.set()
        await self.open.wait()
        await super().group_send(group, message)


class Listener:
    """The hub's place: what has arrived."""

    def __init__(self) -> None:
        self.news = asyncio.Queue[Frame | dict[str, Any]]()
        self.joined = asyncio.Event()

    async def join(self, _: set[str]) -> None:
        self.joined.set()

    async def heard(self, count: int) -> list[Frame | dict[str, Any]]:
        async with asyncio.timeout(SECONDS):
            return [await self.news.get() for _ in range(count)]


@asynccontextmanager
async def listening(
    layer: Layer, monkeypatch: pytest.MonkeyPatch, *streams: str
) -> AsyncIterator[tuple[Broker, Listener]]:
    monkeypatch.setattr(module, "get_channel_layer", lambda: layer)
    listener, tasks = Listener(), Tasks()
    broker = Broker(
        arrived=listener.news.put_nowait, said=listener.news.put_nowait, joined=listener.join
    )
    broker.start(tasks)
    try:
        for stream in streams:
            broker.want(stream, 1)
        async with asyncio.timeout(SECONDS):
            await listener.joined.wait()
        yield broker, listener
    finally:
        broker.stop()
        await tasks.stop()


async def test_what_waits_for_the_layer_goes_in_one_message_for_each_group(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Against one message, with a round trip to Redis, for each event."""
    monkeypatch.setattr(publish, "DEADLINE_SECONDS", SECONDS)
    layer = Layer()
    async with listening(layer, monkeypatch, "a", "b") as (broker, listener):
        first = Frame("a", 1, "{}")
        publish.publish([first])
        async with asyncio.timeout(SECONDS):
            await layer.asked.wait()
        later = [
            Frame(stream, seq, None if seq == 3 else "{}", ends={"users": ["x"]})
            for seq in range(2, 5)
            for stream in ("a", "b")
        ]
        for frame in later:
            publish.publish([frame])
        await asyncio.sleep(0)  # frames come from threads
        broker.say("typing", "a", {"user": "x"})
        assert len(layer.sent) == 1
        layer.open.set()
        heard = await listener.heard(8)
    groups = [group for group, _ in layer.sent]
    assert groups == [publish.group_of(stream) for stream in ("a", "a", "b")]
    said = {"type": "said.typing", "stream": "a", "user": "x"}
    assert heard == [first, *later[::2], said, *later[1::2]]


async def test_very_much_goes_in_several(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(publish, "AT_ONCE_MAX", 2)
    layer = Layer()
    layer.open.set()
    async with listening(layer, monkeypatch, "a") as (_, listener):
        publish.publish([Frame("a", seq, "{}") for seq in range(1, 6)])
        heard = await listener.heard(5)
    assert [len(publish.messages_in(message)) for _, message in layer.sent] == [2, 2, 1]
    assert layer.sent[-1] == (publish.group_of("a"), publish.message_of(Frame("a", 5, "{}")))
    assert heard == [Frame("a", seq, "{}") for seq in range(1, 6)]


async def test_without_a_server_each_group_has_one_message_too(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    layer = Layer()
    layer.open.set()
    monkeypatch.setattr(publish, "get_channel_layer", lambda: layer)
    frames = [Frame(stream, seq, "{}") for seq in (1, 2) for stream in ("a", "b")]
    await asyncio.to_thread(publish.publish, frames)
    found = [
        (group, [said["seq"] for said in publish.messages_in(message)])
        for group, message in layer.sent
    ]
    assert found == [(publish.group_of("a"), [1, 2]), (publish.group_of("b"), [1, 2])]
    layer.sent.clear()
    monkeypatch.setattr(publish, "AT_ONCE_MAX", 2)
    await asyncio.to_thread(publish.publish, frames)
    assert len(layer.sent) == 4
