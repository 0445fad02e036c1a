"""One socket's send side: how much may wait, what happens to those who do not read, its end.

At rest there is no queue and no task. A socket that does not take what it is sent stops
being live on its streams: what it misses is replayed once it has caught up, so nothing is
kept for it. One that stays full for too long is closed.
"""

import asyncio
import uuid
from collections.abc import Callable, Sequence

import uuid_utils.compat as uuid_utils

from api import metrics
from api.metrics import frames
from realtime.close_codes import LOST, TOO_SLOW, Close
from realtime.direct import Direct, DirectOutlet, FlushWindow
from realtime.outlets import AsgiOutlet, Outlet, Send
from realtime.protocol import bye
from realtime.subscription import Subscription
from realtime.wire import Wire

CLOSING_SECONDS = 5.0  # for what waits, ``bye`` and the close to leave


class Connection:
    """A socket, for those who send to it."""

    __slots__ = (
        "_came",
        "_outlet",
        "_queue_bytes",
        "_slow_seconds",
        "_tight",
        "_timer",
        "_waited",
        "behind",
        "closing",
        "id",
        "kid",
        "leaving",
        "on_drained",
        "parted",
        "session_id",
        "subscriptions",
        "under_way",
        "user_id",
    )

    def __init__(
        self,
        send: Send,
        *,
        name: uuid.UUID | None = None,
        direct: Direct | None = None,
        window: FlushWindow | None = None,
        queue_bytes: int | None = None,
        slow_seconds: float | None = None,
    ) -> None:
        self.id = name or uuid_utils.uuid7()
        self.user_id = self.session_id = ""
        self.kid = ""  # of the key that has signed the token it lives by
        self.subscriptions: dict[str, Subscription] = {}
        self.behind: dict[str, Subscription] = {}  # those that are not live
        self.under_way = 0  # commands that have been begun and not been answered
        self.parted = False  # the client has said that it closes
        self.leaving: Close | None = None
        self.closing: Close | None = None
        self.on_drained: Callable[[], None] | None = None
        self._queue_bytes, self._slow_seconds = queue_bytes, slow_seconds
        self._tight = False  # was full after the last write: to ask again costs, per delivery
        self._timer: asyncio.TimerHandle | None = None
        self._waited = self._came = 0  # bytes: when the timer was started, and since then
        self._outlet: Outlet
        if direct is None or window is None:
            self._outlet = AsgiOutlet(send, self._drained)
        else:
            self._outlet = DirectOutlet(send, direct, window, self._drained, queue_bytes)

    @property
    def full(self) -> bool:
        """Whether as much waits as may wait."""
        return self._queue_bytes is not None and self._outlet.waiting() >= self._queue_bytes

    def ending(self) -> bool:
        """Tell whether nothing more is to be begun."""
        return self.closing is not None or self.leaving is not None

    @property
    def owes_pong(self) -> bool:
        """Whether the socket was sent a ping and has not answered yet."""
        return self._outlet.owes_pong()

    @property
    def heard_at(self) -> float:
        """When the client last gave a sign, as far as one can know, by the loop's clock."""
        return self._outlet.heard_at()

    def gone(self, code: int | None) -> None:
        """Note how the socket has ended, in ASGI's words."""
        self.parted = self._outlet.parted(code)

    @property
    def ended_cleanly(self) -> bool:
        """Whether, once it has ended, nobody is expected back: either side has said so."""
        if self.closing in (None, LOST):
            return self.parted
        return self.closing.reconnect == "no"

    def write(self, frame: Wire) -> None:
        """Send a frame after all that waits."""
        if self.closing is None:
            frames.written += 1
            if self._outlet.write(frame):
                self._watch(frame.size)

    def _watch(self, came: int) -> None:
        """Look whether it is full after so many bytes, and for how long."""
        if self._timer is not None:
            self._came += came
        elif self.full:
            self._tight = True
            self._outlet.watch()
            self._start_timer(self._slow_seconds)

    def offer(self, frame: Wire) -> bool:
        """Send a frame that may be lost, unless much waits already; tell whether it was sent."""
        limit = self._queue_bytes
        if limit is not None and self._outlet.waiting() >= limit / 2:
            return False
        self.write(frame)
        return True

    def take(self, subscription: Subscription, news: Sequence[Wire]) -> None:
        """Send a live subscription its news, as far as there is room."""
        for frame in news:
            if self._tight and self.full:
                self._fall_behind(subscription)
                return
            subscription.position = frame.to
            self.write(frame)

    def _fall_behind(self, subscription: Subscription) -> None:
        """Keep nothing more of a stream: it is replayed when there is room again."""
        metrics.sockets_behind.inc()
        subscription.fall_behind()
        self.behind[subscription.stream] = subscription
        self._outlet.watch()
        self._start_timer(self._slow_seconds)

    def leave(self, close: Close) -> None:
        """Close when what is under way has been answered, or soon."""
        if self.under_way == 0:
            self.close(close)
        elif self.leaving is None:
            self.leaving = close
            asyncio.get_running_loop().call_later(CLOSING_SECONDS, self.close, close)

    def answered(self) -> None:
        """Note that a command that was under way is not any more."""
        self.under_way -= 1
        if self.leaving is not None and self.under_way == 0:
            self.close(self.leaving)

    def close(self, close: Close) -> None:
        """Say ``bye`` after all that waits, and close. The first reason counts."""
        if self.closing is None:
            metrics.sockets_closed.labels(close.code).inc()
            self._outlet.write(bye(close))
            self.closing = close
            self._outlet.close(close)
            self._start_timer(CLOSING_SECONDS)

    async def drained(self) -> None:
        """Wait until little or nothing waits."""
        await self._outlet.drained()

    def lost(self) -> None:
        """Drop what waits: the socket is gone. Harmless when repeated."""
        if self.closing is None:
            self.closing = LOST
        self._stop_timer()
        self._outlet.lost()

    def _drained(self) -> None:
        if self.closing is None:
            self._tight = self.full
            if not self._tight:
                self._stop_timer()
            if self.on_drained is not None:
                self.on_drained()

    def _start_timer(self, seconds: float | None) -> None:
        if self._timer is None and seconds is not None:
            self._waited, self._came = self._outlet.waiting(), 0
            self._timer = asyncio.get_running_loop().call_later(seconds, self._too_slow)

    def _stop_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _too_slow(self) -> None:
        self._timer = None
        waiting = self._outlet.waiting()
        takes = waiting < self._waited + self._came
        if self.closing is None and not self.full and takes:
            if waiting:
                self._start_timer(self._slow_seconds)
            return
        told = self.closing is not None
        if self.closing is None:
            self.closing = TOO_SLOW
            metrics.sockets_closed.labels(TOO_SLOW.code).inc()
        self._outlet.abort(self.closing, told=told)
