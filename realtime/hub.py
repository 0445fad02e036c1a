"""This process: stream → feed → connections.

I/O only: what is in order, missing or repeated is decided in ``feed``; where a subscriber
is, in ``subscription``. Frames come from the broker; whatever it loses, ``repair`` finds in
the log.
"""

import asyncio
from collections.abc import Container, Iterable, Mapping, Sequence
from typing import Any, Protocol

from api.log import publish
from api.log.frames import Frame
from realtime import keyring, protocol
from realtime.broker import Broker, Tasks
from realtime.close_codes import SESSION_REVOKED
from realtime.connection import Connection
from realtime.cuts import until_ends
from realtime.direct import FlushWindow
from realtime.feed import Deliver, Effect, Feed
from realtime.repair import Repair
from realtime.sockets import Sockets
from realtime.subscription import Subscription
from realtime.wire import Wire

PASSED_MAX = 10_000  # streams that nobody listens to, of which the last number is remembered
REPLAYS_AT_ONCE = 8  # connections that replay at the same moment; others wait their turn

Subscriber = tuple[Connection, Subscription]
Place = tuple[Connection, str]  # a socket and a stream


class LocalStream:
    """A stream that somebody in this process listens to."""

    __slots__ = ("feed", "subscribers")

    def __init__(self, head: int) -> None:
        self.feed = Feed(head)
        self.subscribers: dict[Connection, Subscription] = {}


class Follower(Protocol):
    """Who goes by what is listened to here, and by what comes; called on the hub's loop."""

    def attached(self, connection: Connection, subscription: Subscription, /) -> None:
        """Somebody listens to a stream."""

    def detached(self, connection: Connection, stream: str, /) -> None:
        """Somebody listens to it no more."""

    def news(self, stream: str, run: Deliver) -> None:
        """Events have been delivered."""

    def heard(self, said: Mapping[str, Any]) -> None:
        """Another process, or this one, has said something that is in no log."""


class Hub:
    """Everything of one process that is delivered goes through here."""

    def __init__(self) -> None:
        self.connections: set[Connection] = set()
        self.draining = False
        self.window = FlushWindow()
        self.sockets = Sockets()
        self.replay_turn = asyncio.Semaphore(REPLAYS_AT_ONCE)
        self.followers: Sequence[Follower] = ()
        self.broker = Broker(arrived=self._arrived, said=self._said, joined=self._groups_joined)
        self._loop = asyncio.get_running_loop()
        self._streams: dict[str, LocalStream] = {}
        self._passed: dict[str, int] = {}
        self.tasks = Tasks()
        self.repair = Repair(self._streams, self._apply, self.tasks)

    def start(self) -> None:
        """Begin to listen and to repair."""
        self.broker.start(self.tasks)
        self.tasks.spawn(self.repair.run())
        self.tasks.spawn(self.sockets.run())
        self.tasks.spawn(keyring.watch(self.connections))

    async def stop(self) -> None:
        """End all work."""
        self.broker.stop()
        await self.tasks.stop()
        self.repair.stop()

    def attach(self, connection: Connection, subscription: Subscription, head: int) -> None:
        """Listen to a stream from ``head`` on; a subscription that misses nothing is live."""
        stream = subscription.stream
        local = self._streams.get(stream)
        if local is None:
            local = self._streams[stream] = LocalStream(head)
            self.broker.want(stream, 1)
        local.subscribers[connection] = subscription
        connection.subscriptions[stream] = subscription
        if not subscription.join(max(local.feed.position, head)):
            connection.behind[stream] = subscription
        self._apply(stream, local.feed.head_seen(head, self._loop.time()))
        passed = self._passed.pop(stream, 0)
        if passed > head:  # after the head was read, and before anybody listened
            pointer = Frame(stream, passed, None)
            self._apply(stream, local.feed.arrived(pointer, self._loop.time()))
        for follower in self.followers:
            follower.attached(connection, subscription)

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
            self.broker.want(stream, -1)
            self._pass_by(stream, local.feed.known)
        for follower in self.followers:
            follower.detached(connection, stream)

    def show(
        self, stream: str, frame: Wire, *, but: str = "", waiting: Container[Place] = ()
    ) -> list[Subscriber]:
        """Send what is in no log to those who want it now; return who has too much waiting."""
        local = self._streams.get(stream)
        return [
            (connection, subscription)
            for connection, subscription in (local.subscribers.items() if local else ())
            if subscription.ephemeral and connection.user_id != but
            if (connection, stream) not in waiting
            if not (subscription.live and connection.offer(frame))
        ]

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
        if connection.session_id in ends.get("sessions", ()):  # never given again
            connection.close(SESSION_REVOKED)
            self.forget(connection)
            return True
        if seq <= subscription.granted:
            return False
        if not ends.get("stream") and connection.user_id not in ends.get("users", ()):
            return False
        self.detach(connection, subscription.stream)
        gone = protocol.Unsubscribed(stream=subscription.stream, reason=ends["reason"])
        connection.write(protocol.wire(gone))
        return True

    # --- news ---------------------------------------------------------------------------

    def _arrived(self, frame: Frame) -> None:
        local = self._streams.get(frame.stream)
        if local is not None:
            self._apply(frame.stream, local.feed.arrived(frame, self._loop.time()))
        else:
            self._pass_by(frame.stream, frame.seq)

    def _pass_by(self, stream: str, seq: int) -> None:
        """Remember what nobody listens to: whoever is about to has read the log already."""
        self._passed[stream] = max(seq, self._passed.pop(stream, 0))
        if len(self._passed) > PASSED_MAX:
            del self._passed[next(iter(self._passed))]

    def _said(self, said: dict[str, Any]) -> None:
        for follower in self.followers:
            follower.heard(said)

    def _apply(self, stream: str, effects: Iterable[Effect]) -> None:
        fetches = []
        for effect in effects:
            if isinstance(effect, Deliver):
                self._deliver(stream, effect)
            else:
                fetches.append((stream, effect))
        if fetches:
            self.repair.fetch(fetches)
        local = self._streams.get(stream)
        if local is not None and local.feed.due is not None:
            self.repair.look_for_holes_at(local.feed.due)

    def _deliver(self, stream: str, news: Deliver) -> None:
        for run in until_ends(news):
            local = self._streams.get(stream)
            if local is None:
                return
            frames = protocol.events(stream, run.after, run.to, run.frames)
            withheld = {user for frame in run.frames for user in frame.withheld or ()}
            for connection, subscription in local.subscribers.items():
                here = subscription.position == run.after and subscription.live
                if here and connection.user_id not in withheld:
                    connection.take(subscription, frames)
                else:
                    _deliver_apart(connection, subscription, run)
            ends = run.frames[-1].ends if run.frames else None
            if ends:
                self._end_all(local, run.to, ends)
            for follower in self.followers:
                follower.news(stream, run)

    def _end_all(self, local: LocalStream, seq: int, ends: Any) -> None:
        for connection, subscription in list(local.subscribers.items()):
            if subscription.live or connection.session_id in ends.get("sessions", ()):
                self.end(connection, subscription, seq, ends)

    async def _groups_joined(self, groups: set[str]) -> None:
        """Look for what was said before the layer listened."""
        await self.repair.read_heads(
            [stream for stream in self._streams if publish.group_of(stream) in groups]
        )


def _deliver_apart(connection: Connection, subscription: Subscription, run: Deliver) -> None:
    """Deliver to a subscriber who is ahead of the feed, or not live, or may not see it all."""
    above = subscription.news_above(run.after, run.to)
    if above is not None:
        fresh = [frame for frame in run.frames if frame.seq > above]
        visible = subscription.visible(fresh, connection.user_id)
        frames = protocol.events(subscription.stream, above, run.to, visible)
        connection.take(subscription, frames)
