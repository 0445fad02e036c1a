"""How frames leave on our own server: their bytes, made once for everybody, into the transport.

Under load, what comes for a socket within two milliseconds leaves in one write.
"""

import asyncio
import contextlib
import math
from collections.abc import Callable
from typing import Protocol

from realtime.close_codes import Close
from realtime.outlets import Send, last_words, send_close
from realtime.wire import Wire

FLUSH_SECONDS = 0.002  # what one waits for more at most; nothing waits when idle


class Direct(Protocol):
    """What our server offers beside ASGI (``scope["extensions"]["gapless.direct"]``)."""

    def write(self, data: bytes) -> None:
        """Write bytes of whole frames."""

    def buffered(self) -> int:
        """Return how many bytes the socket has not taken yet."""

    @property
    def congested(self) -> bool:
        """Whether so much is buffered that a sender should wait; asked for each delivery."""

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
                self._loop.call_soon(self.flush)
            else:
                self._loop.call_at(due, self.flush)
        self._dirty.append(outlet)

    def flush(self) -> None:
        """Flush all of them now."""
        dirty, self._dirty = self._dirty, []
        for outlet in dirty:
            outlet.flush()
        self._last = self._loop.time()


class DirectOutlet:
    """The frames' bytes, made once for everybody, into the transport; at rest nothing is held."""

    __slots__ = (
        "_direct",
        "_much",
        "_on_drained",
        "_pending",
        "_pending_bytes",
        "_send",
        "_task",
        "_watched",
        "_window",
    )

    def __init__(
        self,
        send: Send,
        direct: Direct,
        window: FlushWindow,
        on_drained: Callable[[], None],
        much: int | None,
    ) -> None:
        self._send, self._direct, self._window = send, direct, window
        self._much = math.inf if much is None else much  # bytes
        self._pending: list[bytes] = []
        self._pending_bytes = 0
        self._watched = False
        self._on_drained = on_drained
        self._task: asyncio.Task[None] | None = None
        direct.on_drained(on_drained)

    def write(self, frame: Wire) -> bool:
        pending = self._pending
        if not pending:
            self._window.add(self)
        pending.append(frame.frame)
        self._pending_bytes += frame.size
        return self._pending_bytes >= self._much or self._direct.congested

    def flush(self) -> None:
        """Write what has come since the last time, in one piece."""
        pending = self._pending
        if pending:
            self._direct.write(pending[0] if len(pending) == 1 else b"".join(pending))
            pending.clear()
            self._pending_bytes = 0
            if self._watched:
                self._watched = False
                if not self._direct.congested:  # else it says itself when it is not any more
                    self._on_drained()

    def waiting(self) -> int:
        if self._direct.congested:
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
