"""How frames leave: the way out of a socket, and plain ASGI, which any server offers.

Two forms of one thing, under the same suites, this one and ``direct``: both keep the order, tell
how much waits, say when a socket has caught up, and close after what waits or without it.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from typing import Any, Protocol

from realtime.close_codes import BAD_REQUESTS, LOST, Close
from realtime.protocol import bye
from realtime.wire import Wire

LAST_WORDS_SECONDS = 1.0  # for ``bye`` and the close to leave a socket that is stuck

Send = Callable[[dict[str, Any]], Awaitable[None]]


class Outlet(Protocol):
    """The way out of one connection."""

    def write(self, frame: Wire) -> bool:
        """Send a frame after all that waits; tell whether that may be much by now."""

    def waiting(self) -> int:
        """Return how many bytes wait."""

    def watch(self) -> None:
        """Say it, once what waits has left: also if the socket was never slow to take it."""

    async def drained(self) -> None:
        """Wait until little or nothing waits."""

    def owes_pong(self) -> bool:
        """Tell whether a ping has not been answered yet, as far as one can know."""

    def heard_at(self) -> float:
        """Return when anything last came, by the loop's clock; now, where one cannot know."""

    def parted(self, code: int | None) -> bool:
        """Tell whether the client has said that it closes, when the server ends with this code."""

    def close(self, close: Close) -> None:
        """Send the close after all that waits."""

    def abort(self, close: Close, *, told: bool) -> None:
        """Drop what waits and cut the socket; say why, if it takes it and was not told."""

    def lost(self) -> None:
        """Drop what waits: the socket is gone. Harmless when repeated."""


async def send_close(send: Send, close: Close) -> None:
    """Send the close in ASGI's words."""
    message = {"type": "websocket.close", "code": close.code, "reason": close.reason}
    try:
        await send(message)
    except Exception:  # noqa: BLE001  Daphne sends none below 3000; a socket that is gone, none
        await send(message | {"code": BAD_REQUESTS.code})


async def last_words(send: Send, close: Close, cut: Callable[[], None] | None) -> None:
    """Say ``bye`` and close, if the socket takes it soon; else cut it."""
    try:
        async with asyncio.timeout(LAST_WORDS_SECONDS):
            await send({"type": "websocket.send", "text": bye(close).text})
            await send_close(send, close)
    except Exception:  # noqa: BLE001  it takes nothing, or is gone by now
        if cut is not None:
            cut()


class AsgiOutlet:
    """Plain ASGI: a queue, and a task while there is something in it."""

    def __init__(self, send: Send, on_drained: Callable[[], None]) -> None:
        self._send, self._on_drained = send, on_drained
        self._queue: deque[Wire] = deque()
        self._waiting = 0
        self._closing: Close | None = None
        self._flusher: asyncio.Task[None] | None = None
        self._empty: asyncio.Event | None = None

    def write(self, frame: Wire) -> bool:
        self._queue.append(frame)
        self._waiting += frame.size
        self._flush_soon()
        return True

    def waiting(self) -> int:
        return self._waiting

    def watch(self) -> None:
        """It is said whenever the queue has been sent."""

    async def drained(self) -> None:
        if self._queue:
            self._empty = self._empty or asyncio.Event()
            await self._empty.wait()

    def owes_pong(self) -> bool:
        return False  # pings are the server's own affair

    def heard_at(self) -> float:
        return asyncio.get_running_loop().time()

    def parted(self, code: int | None) -> bool:
        return code not in (None, LOST.code)

    def close(self, close: Close) -> None:
        self._closing = close
        self._flush_soon()

    def abort(self, close: Close, *, told: bool) -> None:
        unsaid = not told or bool(self._queue)
        self.lost()
        words = last_words(self._send, close, None) if unsaid else send_close(self._send, close)
        self._flusher = asyncio.get_running_loop().create_task(words)

    def lost(self) -> None:
        self._queue.clear()
        self._settle()
        if self._flusher is not None and self._flusher is not asyncio.current_task():
            self._flusher.cancel()

    def _flush_soon(self) -> None:
        if self._flusher is None:
            self._flusher = asyncio.get_running_loop().create_task(self._flush())

    async def _flush(self) -> None:
        try:
            while self._queue:
                frame = self._queue[0]
                await self._send({"type": "websocket.send", "text": frame.text})
                if self._queue:
                    self._queue.popleft()
                    self._waiting -= frame.size
            if self._closing is not None:
                await send_close(self._send, self._closing)
        except Exception:  # noqa: BLE001  whatever a server raises for a socket that is gone
            self.lost()
        finally:
            if self._flusher is asyncio.current_task():
                self._flusher = None
            self._settle()

    def _settle(self) -> None:
        if not self._queue:
            self._waiting = 0
            if self._empty is not None:
                self._empty.set()
                self._empty = None
        self._on_drained()
