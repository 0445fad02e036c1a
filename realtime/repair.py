"""Finds in the log what the channel layer has lost: heads now and then, holes when they are due.

I/O only: what is missing, and for how long it is waited, is decided in ``feed``.
"""

import asyncio
import logging
import uuid
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Protocol

from api import access, metrics, replay
from api.log.frames import Frame
from api.log.reading import Range
from realtime import pool
from realtime.broker import Tasks
from realtime.cuts import chunked
from realtime.feed import Effect, Feed, Fetch

TICK_SECONDS = 2.0  # how often the heads of all held streams are read from the log

log = logging.getLogger(__name__)


class Fed(Protocol):
    """A stream that is listened to."""

    @property
    def feed(self) -> Feed:
        """How far it has been delivered."""


class Repair:
    """That of one process: ``streams`` are held now, ``apply`` takes what their feeds say."""

    def __init__(
        self,
        streams: Mapping[str, Fed],
        apply: Callable[[str, Iterable[Effect]], None],
        tasks: Tasks,
    ) -> None:
        self._streams, self._apply, self._tasks = streams, apply, tasks
        self._loop = asyncio.get_running_loop()
        self._hole_timer: asyncio.TimerHandle | None = None

    async def run(self) -> None:
        """Look for what is missing at the end of every stream, for ever."""
        while True:
            await asyncio.sleep(TICK_SECONDS)
            await self.read_heads(list(self._streams))

    def stop(self) -> None:
        """Look for no hole any more."""
        if self._hole_timer is not None:
            self._hole_timer.cancel()

    async def read_heads(self, streams: Sequence[str]) -> None:
        """Look for what is missing at the end of these streams."""
        if not streams:
            return
        try:
            wanted = [uuid.UUID(stream) for stream in streams]
            heads = await pool.run_for_all(access.heads, wanted)
        except Exception as error:  # noqa: BLE001  the database is away: the next tick asks again
            _not_answered(error)
            return
        for stream, head in heads.items():  # each by itself: what fails in one is its own
            self._loop.call_soon(self._head_seen, str(stream), head)

    def fetch(self, fetches: Sequence[tuple[str, Fetch]]) -> None:
        """Fetch what feeds have asked for."""
        self._tasks.spawn(self._fetch(fetches))

    def look_for_holes_at(self, due: float) -> None:
        """Have the feeds look at their holes at a time of the loop's clock, or before."""
        if self._hole_timer is None or self._hole_timer.when() > due:
            self.stop()
            self._hole_timer = self._loop.call_at(due, self._look_for_holes)

    def _head_seen(self, stream: str, head: int) -> None:
        local = self._streams.get(stream)
        if local is not None:
            self._apply(stream, local.feed.head_seen(head, self._loop.time()))

    def _look_for_holes(self) -> None:
        self._hole_timer = None
        now = self._loop.time()
        fetches: list[tuple[str, Fetch]] = []
        for stream, local in list(self._streams.items()):
            effects = local.feed.tick(now)
            fetches.extend((stream, item) for item in effects if isinstance(item, Fetch))
        if fetches:
            self.fetch(fetches)
        dues = [local.feed.due for local in self._streams.values() if local.feed.due is not None]
        if dues:
            self.look_for_holes_at(min(dues))

    async def _fetch(self, fetches: Sequence[tuple[str, Fetch]]) -> None:
        for part in chunked(fetches):
            metrics.repairs.inc(len(part))
            ranges = [Range(uuid.UUID(stream), f.after, f.to) for stream, f in part]
            try:
                found = await pool.run_for_all(replay.frames, ranges)
            except Exception as error:  # noqa: BLE001  the database is away: the feeds wait and ask again
                _not_answered(error)
                self._failed(part)
                continue
            for stream, fetch in part:  # each by itself: what fails in one is its own
                self._loop.call_soon(self._fetched, stream, fetch, found.get(stream, []))

    def _fetched(self, stream: str, fetch: Fetch, frames: Sequence[Frame]) -> None:
        local = self._streams.get(stream)
        if local is not None:
            self._apply(stream, local.feed.fetched(fetch, frames, self._loop.time()))

    def _failed(self, part: Sequence[tuple[str, Fetch]]) -> None:
        """Ask one by one, as one may have spoilt it for all; one that fails alone waits."""
        if len(part) > 1:
            for one in part:
                self.fetch([one])
            return
        ((stream, fetch),) = part
        local = self._streams.get(stream)
        if local is not None:
            local.feed.fetch_failed(fetch, self._loop.time())
            self._apply(stream, [])


def _not_answered(error: Exception) -> None:
    metrics.database_errors.inc()
    log.warning("the log does not answer: %s", type(error).__name__)
