"""Brings a connection's subscriptions from where they are to live, out of the log."""

import asyncio
import logging
import uuid
from collections.abc import Mapping, Sequence
from contextvars import copy_context

from api import metrics
from api.log.frames import Frame
from api.log.reading import Range
from api.replay import frames
from realtime import pool, protocol
from realtime.close_codes import INTERNAL
from realtime.connection import Connection
from realtime.cuts import until_ends
from realtime.feed import Deliver
from realtime.hub import Hub
from realtime.subscription import Subscription

EVENTS_AT_ONCE = 1_000  # in one query, of all streams of a connection together
EVENTS_AT_FIRST = 100  # until it is known how large they are, or to who takes them slowly
BYTES_AT_ONCE = 1024 * 1024  # as many of them as are about so much
STREAMS_AT_ONCE = 100
TURN_SECONDS = 0.5  # to take what was read; what is not taken by then is read again

log = logging.getLogger(__name__)


class Replay:
    """The replaying of one connection: at most one task, none while all is live."""

    def __init__(self, hub: Hub, connection: Connection) -> None:
        self._hub, self._connection = hub, connection
        self._task: asyncio.Task[None] | None = None
        self._context = copy_context()  # whoever lets it go on, what is logged is about this one
        self._events_at_once = EVENTS_AT_FIRST
        connection.on_drained = self.resume

    def resume(self) -> None:
        """Replay whatever is behind, if it is not being done already."""
        connection = self._connection
        if self._task is None and connection.closing is None and connection.behind:
            self._task = asyncio.get_running_loop().create_task(self._run(), context=self._context)

    def stop(self) -> None:
        """End it: the connection is gone."""
        if self._task is not None:
            self._task.cancel()

    async def _run(self) -> None:
        try:
            while self._connection.closing is None and self._connection.behind:
                await self._connection.drained()
                async with self._hub.replay_turn:
                    await self._next_page()
        except Exception:  # whatever it is: who comes again is told all that is missing
            log.exception("replay failed")
            self._connection.close(INTERNAL)
        finally:
            self._task = None
            self._events_at_once = EVENTS_AT_FIRST

    async def _next_page(self) -> None:
        missing = self._missing()
        if not missing:
            return
        ranges = [
            Range(uuid.UUID(subscription.stream), subscription.position, to, subscription.granted)
            for subscription, to in missing
        ]
        metrics.replays.inc()
        found = await pool.run(frames, ranges)
        try:
            async with asyncio.timeout(TURN_SECONDS):
                for subscription, to in missing:
                    news = Deliver(subscription.position, to, found.get(subscription.stream, []))
                    await self._send(subscription, news)
            self._events_at_once = min(2 * self._events_at_once, _fitting(found))
        except TimeoutError:  # others wait for their turn: nobody holds one by not reading
            self._events_at_once = EVENTS_AT_FIRST

    def _missing(self) -> list[tuple[Subscription, int]]:
        """Return what is behind, and up to where to read it; let go live what is not."""
        missing = []
        budget = self._events_at_once
        behind = self._connection.behind
        for subscription in list(behind.values()):
            position = self._hub.position(subscription.stream)
            if position is None or subscription.join(position):
                del behind[subscription.stream]
                continue
            to = min(position, subscription.position + budget)
            missing.append((subscription, to))
            budget -= to - subscription.position
            if budget <= 0 or len(missing) == STREAMS_AT_ONCE:
                break
        return missing

    async def _send(self, subscription: Subscription, news: Deliver) -> None:
        connection = self._connection
        for run in until_ends(news):
            visible = subscription.visible(run.frames, connection.user_id)
            for batch in protocol.batches(subscription.stream, run.after, run.to, visible):
                await connection.drained()
                if connection.subscriptions.get(subscription.stream) is not subscription:
                    return
                connection.write(batch)
                subscription.replayed(batch.to)
            ends = run.frames[-1].ends if run.frames else None
            if ends and self._hub.end(connection, subscription, run.to, ends):
                return


def _fitting(found: Mapping[str, Sequence[Frame]]) -> int:
    """Return how many events are about enough at once, if they are as large as these."""
    sizes = [len((frame.text or "").encode()) for of_one in found.values() for frame in of_one]
    if not any(sizes):
        return EVENTS_AT_ONCE
    return min(EVENTS_AT_ONCE, len(sizes) * BYTES_AT_ONCE // sum(sizes) + 1)
