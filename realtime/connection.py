"""One socket's send side: what waits, how much may wait, and how it ends.

At rest there is no queue and no task. A socket that does not take what it is sent stops
being live on its streams: what it misses is replayed once it has caught up, so nothing is
kept for it. One that stays full for too long is closed.
"""

import asyncio
import uuid
from collections import deque
from collections.abc import Awaitable, Callable
from typing import Any, Protocol

from realtime.close_codes import BAD_REQUESTS, TOO_SLOW, Close
from realtime.protocol import Wire, bye
from realtime.subscription import Subscription

CLOSING_SECONDS = 3.0  # for all that waits, ``bye`` and the close to leave a socket
LAST_WORDS_SECONDS = 1.0  # for ``bye`` and the close to leave a socket that is stuck

Send = Callable[[dict[str, Any]], Awaitable[None]]


class Transport(Protocol):
    """What a server may offer beside ASGI: to cut a socket that takes nothing."""

    def abort(self) -> None:
        """Close at once, without flushing."""


class Connection:
    """A socket, for those who send to it."""

    def __init__(
        self,
        send: Send,
        *,
        transport: Transport | None,
        queue_bytes: int | None,
        slow_seconds: float | None,
    ) -> None:
        self.id = uuid.uuid4()
        self.user_id = self.session_id = ""
        self.subscriptions: dict[str, Subscription] = {}
        self.behind: dict[str, Subscription] = {}  # those that are not live
        self.closing: Close | None = None
        self.on_drained: Callable[[], None] | None = None
        self._send, self._transport = send, transport
        self._queue_bytes, self._slow_seconds = queue_bytes, slow_seconds
        self._queue: deque[tuple[Wire, int]] = deque()
        self._counted = 0
        self._flusher: asyncio.Task[None] | None = None
        self._slow_timer: asyncio.TimerHandle | None = None
        self._empty: asyncio.Event | None = None

    @property
    def full(self) -> bool:
        """Whether as much waits as may wait."""
        return self._queue_bytes is not None and self._counted >= self._queue_bytes

    def write(self, frame: Wire, *, counted: bool = True) -> None:
        """Send a frame after all that waits; replay does not count as waiting."""
        if self.closing is not None:
            return
        size = frame.size if counted else 0
        self._queue.append((frame, size))
        self._counted += size
        if self.full and self._slow_timer is None and self._slow_seconds is not None:
            loop = asyncio.get_running_loop()
            self._slow_timer = loop.call_later(self._slow_seconds, self._too_slow)
        self._flush_soon()

    def close(self, close: Close, *, retry_after: int | None = None) -> None:
        """Say ``bye`` after all that waits, and close. The first reason counts."""
        if self.closing is None:
            self.write(bye(close, retry_after), counted=False)
            self.closing = close
            if self._slow_timer is None:
                loop = asyncio.get_running_loop()
                self._slow_timer = loop.call_later(CLOSING_SECONDS, self._too_slow)
            self._flush_soon()

    async def drained(self) -> None:
        """Wait until nothing waits."""
        if self._queue:
            self._empty = self._empty or asyncio.Event()
            await self._empty.wait()

    def lost(self) -> None:
        """Drop what waits: the socket is gone. Harmless when repeated."""
        if self.closing is None:
            self.closing = TOO_SLOW if self.full else Close(1006, "lost", "backoff")
        self._queue.clear()
        self._settled()
        if self._flusher is not None and self._flusher is not asyncio.current_task():
            self._flusher.cancel()

    def _flush_soon(self) -> None:
        if self._flusher is None:
            self._flusher = asyncio.get_running_loop().create_task(self._flush())

    async def _flush(self) -> None:
        try:
            while self._queue:
                frame, size = self._queue[0]
                await self._send({"type": "websocket.send", "text": frame.text})
                if self._queue:
                    self._queue.popleft()
                    self._counted -= size
            if self.closing is not None:
                await self._send_close(self.closing)
        except Exception:  # noqa: BLE001  whatever a server raises for a socket that is gone
            self.lost()
        finally:
            if self._flusher is asyncio.current_task():
                self._flusher = None
            self._settled()

    async def _send_close(self, close: Close) -> None:
        message = {"type": "websocket.close", "code": close.code, "reason": close.reason}
        try:
            await self._send(message)
        except Exception:  # noqa: BLE001  Daphne sends none below 3000; a socket that is gone, none
            await self._send(message | {"code": BAD_REQUESTS.code})

    def _settled(self) -> None:
        if not self._queue:
            self._counted = 0
        if self._slow_timer is not None and not self.full:
            self._slow_timer.cancel()
            self._slow_timer = None
        if self._empty is not None and not self._queue:
            self._empty.set()
            self._empty = None
        if self.on_drained is not None and self.closing is None:
            self.on_drained()

    def _too_slow(self) -> None:
        self._slow_timer = None
        if self.closing is None and not self.full:
            return
        told = self.closing is not None and not self._queue  # only the close has not left
        self.closing = self.closing or TOO_SLOW
        self._queue.clear()
        if self._flusher is not None:
            self._flusher.cancel()
        self._flusher = asyncio.get_running_loop().create_task(self._last_words(self.closing, told))

    async def _last_words(self, close: Close, told: bool) -> None:
        try:
            async with asyncio.timeout(LAST_WORDS_SECONDS):
                if not told:
                    await self._send({"type": "websocket.send", "text": bye(close).text})
                await self._send_close(close)
        except Exception:  # noqa: BLE001  it takes nothing, or is gone by now
            if self._transport is not None:
                self._transport.abort()
