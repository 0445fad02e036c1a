"""One socket's send side, over both ways out: how far news are taken, and what then."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from realtime.connection import Connection
from realtime.direct import FlushWindow
from realtime.subscription import Subscription
from realtime.wire import Wire

QUEUE_BYTES = 1_000


class StuckTransport:
    """A transport whose client reads nothing."""

    def __init__(self) -> None:
        self.written = b""

    def write(self, data: bytes) -> None:
        self.written += data

    def buffered(self) -> int:
        return len(self.written)

    def owes_pong(self) -> bool:
        return False

    def heard_at(self) -> float:
        return 0.0

    def parted(self) -> bool:
        return False

    @property
    def congested(self) -> bool:
        return bool(self.written)

    async def drained(self) -> None:
        await asyncio.Event().wait()

    def on_drained(self, act: Callable[[], None]) -> None:
        self.act = act

    def abort(self) -> None:
        self.written = b""


async def stuck(_: dict[str, Any]) -> None:
    await asyncio.Event().wait()


def connection(kind: str) -> Connection:
    if kind == "asgi":
        return Connection(stuck, queue_bytes=QUEUE_BYTES)
    return Connection(stuck, direct=StuckTransport(), window=FlushWindow(), queue_bytes=QUEUE_BYTES)


@pytest.mark.parametrize("kind", ["asgi", "direct"])
async def test_a_long_run_is_taken_as_far_as_there_is_room(kind: str) -> None:
    socket = connection(kind)
    subscription = Subscription("stream", 0, granted=0)
    assert subscription.join(0)
    news = [Wire(b"x" * 400, to=number) for number in range(1, 101)]

    socket.take(subscription, news)

    assert (subscription.position, subscription.live) == (3, False)
    assert socket.behind == {"stream": subscription}
    assert socket.full
    socket.lost()
    assert not socket.full


@pytest.mark.parametrize("kind", ["asgi", "direct"])
async def test_what_fits_is_taken_whole(kind: str) -> None:
    socket = connection(kind)
    subscription = Subscription("stream", 0, granted=0)
    assert subscription.join(0)

    socket.take(subscription, [Wire(b"x" * 400, to=1), Wire(b"x" * 400, to=2)])

    assert (subscription.position, subscription.live, socket.behind) == (2, True, {})
    socket.lost()


class SlowTransport(StuckTransport):
    """A transport whose client reads a little at a time."""

    def takes(self, size: int) -> None:
        self.written = self.written[size:]


def full_socket(transport: SlowTransport) -> tuple[Connection, FlushWindow]:
    """Return a socket that is full, and is looked at again after a long time."""
    window = FlushWindow()
    socket = Connection(
        stuck, direct=transport, window=window, queue_bytes=QUEUE_BYTES, slow_seconds=3_600
    )
    for number in range(3):
        socket.write(Wire(b"x" * 400, to=number))
    window.flush()
    assert socket.full
    return socket, window


def reason(socket: Connection) -> str | None:
    """Return why a socket closes, None when it does not."""
    return socket.closing and socket.closing.reason


async def test_who_keeps_up_with_what_comes_is_not_too_slow() -> None:
    """Naive form: as much waits at every look, so nothing seems to be taken."""
    transport = SlowTransport()
    socket, window = full_socket(transport)
    transport.takes(700)
    for _ in range(5):
        assert not socket.full
        socket._too_slow()
        assert reason(socket) is None
        transport.takes(400)
        socket.write(Wire(b"x" * 400))
        window.flush()
    socket.lost()


async def test_who_takes_nothing_from_one_look_to_the_next_is_too_slow() -> None:
    transport = SlowTransport()
    socket, window = full_socket(transport)
    transport.takes(700)
    socket._too_slow()
    assert reason(socket) is None
    socket.write(Wire(b"x" * 100))
    window.flush()
    socket._too_slow()
    assert reason(socket) == "too_slow"
