"""How frames leave: over ASGI on any server, or straight into the transport where it is offered.

Two forms of one thing, under the same suites: both keep the order, tell how much waits, say
when a socket has caught up, and close after what waits or without it.
"""

import asyncio
import contextlib
from collections import deque
from collections.abc import Awaitable, Callable
from typing import Any, Protocol

from realtime.close_codes import BAD_REQUESTS, LOST, Close
from realtime.protocol import bye
from realtime.wire import Wire

FLUSH_SECONDS = 0.002  # under load, what comes within it leaves in one write
LAST_WORDS_SECONDS = 1.0  # for ``bye`` and the close to leave a socket that is stuck

Send = Callable[[dict[str, Any]], Awaitable[None]]


class Direct(Protocol):
    """What our server offers beside ASGI (``scope["extensions"]["gapless.direct"]``)."""

    def write(self, data: bytes) -> None:
        """Write bytes of whole frames."""

    def buffered(self) -> int:
        """Return how many bytes the socket has not taken yet."""

    def congested(self) -> bool:
        """Tell whether so much is buffered that a sender should wait."""

    async def drained(self) -> None:
        """Wait until it is not congested."""

    def on_drained(self, act: Callable[[], None]) -> None:
        """Call this whenever it ceases to be congested."""

    def owes_pong(self) -> bool:
        """Tell whether a ping of ours has not been answered yet."""

    def heard_at(self) -> float:
        """Return when anything last came, by the loop's clock."""

    def parted(self) -> bool:
        """Tell whether the client has said that it closes."""

    def abort(self) -> None:
        """Cut the socket, without flushing."""


class Outlet(Protocol):
    """The way out of one connection."""

    def write(self, frame: Wire) -> None:
        """Send a frame after all that waits."""

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

    def write(self, frame: Wire) -> None:
        self._queue.append(frame)
        self._waiting += frame.size
        self._flush_soon()

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


class FlushWindow:
    """Joins what several outlets have to write: at once when idle, else every 2 ms at most."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._dirty: list[DirectOutlet] = []
        self._last = 0.0

    def add(self, outlet: "DirectOutlet") -> None:
        """Have an outlet flushed soon."""
        if not self._dirty:
            due = self._last + FLUSH_SECONDS
            if self._loop.time() >= due:
                self._loop.call_soon(self._flush)
            else:
                self._loop.call_at(due, self._flush)
        self._dirty.append(outlet)

    def _flush(self) -> None:
        dirty, self._dirty = self._dirty, []
        for outlet in dirty:
            outlet.flush()
        self._last = self._loop.time()


class DirectOutlet:
    """The frames' bytes, made once for everybody, into the transport; at rest nothing is held."""

    __slots__ = (
        "_direct",
        "_on_drained",
        "_pending",
        "_pending_bytes",
        "_send",
        "_task",
        "_watched",
        "_window",
    )

    def __init__(
        self, send: Send, direct: Direct, window: FlushWindow, on_drained: Callable[[], None]
    ) -> None:
        self._send, self._direct, self._window = send, direct, window
        self._pending: list[bytes] = []
        self._pending_bytes = 0
        self._watched = False
        self._on_drained = on_drained
        self._task: asyncio.Task[None] | None = None
        direct.on_drained(on_drained)

    def write(self, frame: Wire) -> None:
        pending = self._pending
        if not pending:
            self._window.add(self)
        pending.append(frame.frame)
        self._pending_bytes += frame.size

    def flush(self) -> None:
        """Write what has come since the last time, in one piece."""
        pending = self._pending
        if pending:
            self._direct.write(pending[0] if len(pending) == 1 else b"".join(pending))
            self._forget()
            if self._watched:
                self._watched = False
                if not self._direct.congested():  # else it says itself when it is not any more
                    self._on_drained()

    def waiting(self) -> int:
        if self._direct.congested():
            return self._pending_bytes + self._direct.buffered()
        return self._pending_bytes

    def watch(self) -> None:
        self._watched = True

    def _forget(self) -> None:
        self._pending.clear()
        self._pending_bytes = 0

    async def drained(self) -> None:
        self.flush()
        await self._direct.drained()

    def owes_pong(self) -> bool:
        return self._direct.owes_pong()

    def heard_at(self) -> float:
        return self._direct.heard_at()

    def parted(self, _: int | None) -> bool:
        return self._direct.parted()

    def close(self, close: Close) -> None:
        self.flush()
        self._task = asyncio.get_running_loop().create_task(self._close(close))

    def abort(self, close: Close, *, told: bool) -> None:
        self._forget()
        if told:
            self._direct.abort()
        else:
            words = last_words(self._send, close, self._direct.abort)
            self._task = asyncio.get_running_loop().create_task(words)

    def lost(self) -> None:
        self._forget()

    async def _close(self, close: Close) -> None:
        with contextlib.suppress(Exception):  # it may be gone by now
            await send_close(self._send, close)
