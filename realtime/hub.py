"""This process: stream → feed → connections, and the one reader of the channel layer.

I/O only: what is in order, missing or repeated is decided in ``feed``; where a subscriber
is, in ``subscription``. Joining a group, publishing and reading never hold anybody up:
whatever the layer loses meanwhile, the tick finds in the log.
"""

import asyncio
import contextlib
import logging
import uuid
from collections import deque
from collections.abc import Iterable, Sequence
from functools import partial
from typing import Any

from channels.layers import get_channel_layer

from api import access, replay
from api.log import publish
from api.log.frames import Frame
from realtime import pool, protocol
from realtime.close_codes import SESSION_REVOKED
from realtime.connection import Connection
from realtime.feed import Deliver, Effect, Feed, Fetch
from realtime.subscription import Subscription

TICK_SECONDS = 2.0  # how often the heads of all held streams are read from the log
BREAK_SECONDS = 1.0  # how long a layer that failed is left alone
RETRY_SECONDS = 1.0  # between attempts to read from a layer that fails
OUTGOING_MAX = 10_000  # frames waiting to be published; older ones are in the log
REPLAYS_AT_ONCE = 8  # connections that replay at the same moment; others wait their turn
FETCH_EVENTS_MAX = 1_000  # events in one query

log = logging.getLogger(__name__)


class LocalStream:
    """A stream that somebody in this process listens to."""

    __slots__ = ("feed", "subscribers")

    def __init__(self, head: int) -> None:
        self.feed = Feed(head)
        self.subscribers: dict[Connection, Subscription] = {}


class Hub:
    """Everything of one process that is delivered goes through here."""

    def __init__(self) -> None:
        self.connections: set[Connection] = set()
        self.draining = False
        self.replay_turn = asyncio.Semaphore(REPLAYS_AT_ONCE)
        self.layer_ok = True
        self._loop = asyncio.get_running_loop()
        self._layer: Any = get_channel_layer()
        self._channel: str | None = None
        self._streams: dict[str, LocalStream] = {}
        self._groups: dict[str, int] = {}
        self._joined: set[str] = set()
        self._groups_changed = asyncio.Event()
        self._outgoing: deque[Frame] = deque(maxlen=OUTGOING_MAX)
        self._outgoing_ready = asyncio.Event()
        self._broken_until = 0.0
        self._hole_timer: asyncio.TimerHandle | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    def start(self) -> None:
        """Begin to read, publish and repair; from now on the log publishes through here."""
        for work in (self._read, self._publish, self._keep_groups, self._tick):
            self._spawn(work())
        publish.bind(self._take_from_thread)

    async def stop(self) -> None:
        """End all work. The layer forgets this process's channel."""
        publish.bind(None)
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._hole_timer is not None:
            self._hole_timer.cancel()

    def attach(self, connection: Connection, subscription: Subscription, head: int) -> None:
        """Listen to a stream from ``head`` on; a subscription that misses nothing is live."""
        stream = subscription.stream
        local = self._streams.get(stream)
        if local is None:
            local = self._streams[stream] = LocalStream(head)
            self._want_group(stream, 1)
        local.subscribers[connection] = subscription
        connection.subscriptions[stream] = subscription
        if not subscription.join(max(local.feed.position, head)):
            connection.behind[stream] = subscription
        self._apply(stream, local.feed.head_seen(head, self._loop.time()))

    def detach(self, connection: Connection, stream: str) -> None:
        """Listen no more. Harmless when repeated."""
        connection.subscriptions.pop(stream, None)
        connection.behind.pop(stream, None)
        local = self._streams.get(stream)
        if local is None:
            return
        local.subscribers.pop(connection, None)
        if not local.subscribers:
            del self._streams[stream]
            self._want_group(stream, -1)

    def forget(self, connection: Connection) -> None:
        """Detach a connection from everything. Harmless when repeated."""
        self.connections.discard(connection)
        for stream in list(connection.subscriptions):
            self.detach(connection, stream)

    def position(self, stream: str) -> int | None:
        """Return up to which number a stream has been delivered; None when nobody listens."""
        local = self._streams.get(stream)
        return None if local is None else local.feed.position

    def end(self, connection: Connection, subscription: Subscription, seq: int, ends: Any) -> bool:
        """Act on what the event ``seq`` ends, for one subscriber that has been sent it."""
        if seq <= subscription.granted:
            return False
        if connection.session_id in ends.get("sessions", ()):
            connection.close(SESSION_REVOKED)
            self.forget(connection)
            return True
        if not ends.get("stream") and connection.user_id not in ends.get("users", ()):
            return False
        self.detach(connection, subscription.stream)
        gone = protocol.Unsubscribed(stream=subscription.stream, reason=ends["reason"])
        connection.write(protocol.wire(gone))
        return True

    # --- news ---------------------------------------------------------------------------

    def _take_from_thread(self, frames: Sequence[Frame]) -> None:
        with contextlib.suppress(RuntimeError):  # the loop has ended: the log has the frames
            self._loop.call_soon_threadsafe(self._take, frames)

    def _take(self, frames: Sequence[Frame]) -> None:
        self._outgoing.extend(frames)
        self._outgoing_ready.set()

    async def _publish(self) -> None:
        while True:
            await self._outgoing_ready.wait()
            self._outgoing_ready.clear()
            while self._outgoing:
                await self._send(self._outgoing.popleft())

    async def _send(self, frame: Frame) -> None:
        if self._loop.time() < self._broken_until:
            return
        try:
            async with asyncio.timeout(publish.DEADLINE_SECONDS):
                await publish.send(self._layer, frame)
            self.layer_ok = True
        except Exception as error:  # noqa: BLE001  whatever a layer raises: the log has the frame
            self._broken_until = self._loop.time() + BREAK_SECONDS
            self.layer_ok = False
            log.warning("the channel layer does not publish: %s", type(error).__name__)

    async def _read(self) -> None:
        while True:
            try:
                if self._channel is None:
                    self._channel = await self._layer.new_channel("gapless")
                    self._groups_changed.set()
                message = await self._layer.receive(self._channel)
                self._arrived(message)
            except Exception as error:  # noqa: BLE001  whatever a layer raises: the log repairs
                log.warning("the channel layer does not deliver: %s", type(error).__name__)
                await asyncio.sleep(RETRY_SECONDS)

    def _arrived(self, message: dict[str, Any]) -> None:
        local = self._streams.get(message["stream"])
        if local is not None:
            frame = Frame(message["stream"], message["seq"], message["text"], message["ends"])
            self._apply(frame.stream, local.feed.arrived(frame, self._loop.time()))

    def _apply(self, stream: str, effects: Iterable[Effect]) -> None:
        fetches = []
        for effect in effects:
            if isinstance(effect, Deliver):
                self._deliver(stream, effect)
            else:
                fetches.append((stream, effect))
        if fetches:
            self._spawn(self._fetch(fetches))
        local = self._streams.get(stream)
        if local is not None and local.feed.due is not None:
            self._look_for_holes_at(local.feed.due)

    def _deliver(self, stream: str, news: Deliver) -> None:
        for run in until_ends(news):
            local = self._streams.get(stream)
            if local is None:
                return
            frames = protocol.events(stream, run.after, run.to, run.frames)
            for connection, subscription in list(local.subscribers.items()):
                self._deliver_to(connection, subscription, run, frames)
            ends = run.frames[-1].ends if run.frames else None
            if ends:
                for connection, subscription in list(local.subscribers.items()):
                    if subscription.live or connection.session_id in ends.get("sessions", ()):
                        self.end(connection, subscription, run.to, ends)

    def _deliver_to(
        self,
        connection: Connection,
        subscription: Subscription,
        run: Deliver,
        frames: Sequence[protocol.Wire],
    ) -> None:
        if connection.full:
            subscription.fall_behind()
            connection.behind[subscription.stream] = subscription
            return
        above = subscription.take(run.after, run.to)
        if above is None:
            return
        if above != run.after:
            fresh = [frame for frame in run.frames if frame.seq > above]
            frames = protocol.events(subscription.stream, above, run.to, fresh)
        for frame in frames:
            connection.write(frame)

    # --- repair -------------------------------------------------------------------------

    async def _tick(self) -> None:
        while True:
            await asyncio.sleep(TICK_SECONDS)
            await self._read_heads(list(self._streams))

    async def _read_heads(self, streams: Sequence[str]) -> None:
        if not streams:
            return
        try:
            heads = await pool.run(access.heads, [uuid.UUID(stream) for stream in streams])
        except Exception as error:  # noqa: BLE001  the database is away: the next tick asks again
            log.warning("the log does not answer: %s", type(error).__name__)
            return
        for stream, head in heads.items():
            local = self._streams.get(str(stream))
            if local is not None:
                self._apply(str(stream), local.feed.head_seen(head, self._loop.time()))

    def _look_for_holes_at(self, due: float) -> None:
        if self._hole_timer is None or self._hole_timer.when() > due:
            if self._hole_timer is not None:
                self._hole_timer.cancel()
            self._hole_timer = self._loop.call_at(due, self._look_for_holes)

    def _look_for_holes(self) -> None:
        self._hole_timer = None
        now = self._loop.time()
        fetches: list[tuple[str, Fetch]] = []
        for stream, local in list(self._streams.items()):
            effects = local.feed.tick(now)
            fetches.extend((stream, item) for item in effects if isinstance(item, Fetch))
        if fetches:
            self._spawn(self._fetch(fetches))
        dues = [local.feed.due for local in self._streams.values() if local.feed.due is not None]
        if dues:
            self._look_for_holes_at(min(dues))

    async def _fetch(self, fetches: Sequence[tuple[str, Fetch]]) -> None:
        for part in chunked(fetches):
            ranges = [replay.Range(uuid.UUID(stream), f.after, f.to) for stream, f in part]
            try:
                found = await pool.run(replay.frames, ranges)
            except Exception as error:  # noqa: BLE001  the database is away: the feeds wait and ask again
                log.warning("the log does not answer: %s", type(error).__name__)
                self._failed(part)
                continue
            for stream, fetch in part:
                local = self._streams.get(stream)
                if local is not None:
                    frames = found.get(stream, [])
                    effects = local.feed.fetched(fetch.to, frames, self._loop.time())
                    self._apply(stream, effects)

    def _failed(self, fetches: Sequence[tuple[str, Fetch]]) -> None:
        for stream, _ in fetches:
            local = self._streams.get(stream)
            if local is not None:
                local.feed.fetch_failed(self._loop.time())
                self._apply(stream, [])

    # --- groups -------------------------------------------------------------------------

    def _want_group(self, stream: str, change: int) -> None:
        group = publish.group_of(stream)
        wanted = self._groups.get(group, 0) + change
        if wanted:
            self._groups[group] = wanted
        else:
            del self._groups[group]
        self._groups_changed.set()

    async def _keep_groups(self) -> None:
        while True:
            await self._groups_changed.wait()
            self._groups_changed.clear()
            if self._channel is not None:
                await self._join_and_leave(self._channel)

    async def _join_and_leave(self, channel: str) -> None:
        try:
            for group in self._joined - set(self._groups):
                await self._layer.group_discard(group, channel)
                self._joined.discard(group)
            new = set(self._groups) - self._joined
            for group in new:
                await self._layer.group_add(group, channel)
                self._joined.add(group)
        except Exception as error:  # noqa: BLE001  whatever a layer raises: the tick delivers meanwhile
            log.warning("the channel layer does not listen: %s", type(error).__name__)
            self._loop.call_later(RETRY_SECONDS, self._groups_changed.set)
            return
        if new:
            await self._read_heads(
                [stream for stream in self._streams if publish.group_of(stream) in new]
            )

    def _spawn(self, work: Any) -> None:
        task = self._loop.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(partial(_done, self._tasks))


def _done(tasks: set[asyncio.Task[None]], task: asyncio.Task[None]) -> None:
    tasks.discard(task)
    if not task.cancelled() and task.exception() is not None:
        log.error("work of the hub has failed", exc_info=task.exception())


def until_ends(news: Deliver) -> list[Deliver]:
    """Cut a delivery behind every event that ends something."""
    runs, start, frames = [], news.after, []
    for frame in news.frames:
        frames.append(frame)
        if frame.ends:
            runs.append(Deliver(start, frame.seq, frames))
            start, frames = frame.seq, []
    if start < news.to:
        runs.append(Deliver(start, news.to, frames))
    return runs


def chunked(fetches: Sequence[tuple[str, Fetch]]) -> list[list[tuple[str, Fetch]]]:
    """Cut fetches so that one query answers a bounded number of events."""
    parts: list[list[tuple[str, Fetch]]] = []
    size = FETCH_EVENTS_MAX
    for stream, fetch in fetches:
        count = fetch.to - fetch.after
        if size + count > FETCH_EVENTS_MAX or len(parts[-1]) == 100:
            parts.append([])
            size = 0
        parts[-1].append((stream, fetch))
        size += count
    return parts


_hub: Hub | None = None


def current() -> Hub:
    """Return the hub of this process; the first to ask on the loop starts it."""
    global _hub  # noqa: PLW0603  one process, one hub
    if _hub is None:
        _hub = Hub()
        _hub.start()
    return _hub


def running() -> Hub | None:
    """Return the hub if one has been started; from any thread."""
    return _hub


async def shut_down() -> None:
    """Stop the hub of this process, if there is one."""
    global _hub
    if _hub is not None:
        hub, _hub = _hub, None
        await hub.stop()
