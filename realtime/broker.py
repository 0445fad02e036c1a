"""The channel layer, for this process: its one reader, its one publisher, its groups.

Joining a group, publishing and reading never hold anybody up: a layer that is slow or away
is left alone for a moment, and whatever it loses meanwhile, the hub finds in the log.
"""

import asyncio
import contextlib
import logging
from collections import deque
from collections.abc import Callable, Coroutine, Sequence
from contextvars import Context
from functools import partial
from typing import Any

from channels.layers import get_channel_layer

from api import metrics
from api.log import publish
from api.log.frames import Frame

BREAK_SECONDS = 1.0  # how long a layer that failed is left alone
RETRY_SECONDS = 1.0  # between attempts to read from a layer that fails
CANCEL_SECONDS = 0.5  # for work to end, before it is told once more
OUTGOING_MAX = 10_000  # messages waiting to be published; frames before them are in the log

log = logging.getLogger(__name__)

Work = Coroutine[Any, Any, None]


class Tasks:
    """Work under way on the loop, kept from being forgotten."""

    def __init__(self) -> None:
        self._tasks: set[asyncio.Task[None]] = set()

    def spawn(self, work: Work) -> None:
        """Begin some work, which is no request's or socket's; what it raises is logged."""
        task = asyncio.get_running_loop().create_task(work, context=Context())
        self._tasks.add(task)
        task.add_done_callback(partial(_done, self._tasks))

    async def stop(self) -> None:
        """End all of it; what a library makes of a cancellation may be no end, so again."""
        while self._tasks:
            for task in self._tasks:
                task.cancel()
            await asyncio.wait(list(self._tasks), timeout=CANCEL_SECONDS)


def _done(tasks: set[asyncio.Task[None]], task: asyncio.Task[None]) -> None:
    tasks.discard(task)
    if not task.cancelled() and task.exception() is not None:
        log.error("work has failed", exc_info=task.exception())


class Broker:
    """Frames out, frames in; ``arrived`` gets each one, ``joined`` the groups just joined.

    ``said`` gets what is in no log: what other processes, and this one, say of a stream.
    """

    def __init__(
        self,
        *,
        arrived: Callable[[Frame], None],
        said: Callable[[dict[str, Any]], None],
        joined: Callable[[set[str]], Work],
    ) -> None:
        self.ok = True
        self._arrived, self._said, self._joined_now = arrived, said, joined
        self._loop = asyncio.get_running_loop()
        self._layer: Any = get_channel_layer()
        self._channel: str | None = None
        self._wanted: dict[str, int] = {}
        self._joined: set[str] = set()
        self._groups_changed = asyncio.Event()
        self._outgoing: deque[publish.Message] = deque(maxlen=OUTGOING_MAX)
        self._outgoing_ready = asyncio.Event()
        self._broken_until = 0.0

    def start(self, tasks: Tasks) -> None:
        """Begin to read and publish; from now on the log publishes through here."""
        for work in (self._read, self._publish, self._keep_groups):
            tasks.spawn(work())
        publish.bind(self._take_from_thread)

    def stop(self) -> None:
        """Give the log its own way of publishing back."""
        publish.bind(None)

    def want(self, stream: str, change: int) -> None:
        """Count one listener more or less of the group that a stream is hashed to."""
        group = publish.group_of(stream)
        wanted = self._wanted.get(group, 0) + change
        if wanted:
            self._wanted[group] = wanted
        else:
            del self._wanted[group]
        self._groups_changed.set()

    def _take_from_thread(self, frames: Sequence[Frame]) -> None:
        with contextlib.suppress(RuntimeError):  # the loop has ended: the log has the frames
            self._loop.call_soon_threadsafe(self._take, [*map(publish.message_of, frames)])

    def say(self, kind: str, stream: str, fields: dict[str, Any]) -> None:
        """Say something to all processes that listen to a stream; it may be lost."""
        self._take([{"type": f"said.{kind}", "stream": stream, **fields}])

    def _take(self, messages: Sequence[publish.Message]) -> None:
        self._outgoing.extend(messages)
        self._outgoing_ready.set()

    async def _publish(self) -> None:
        while True:
            await self._outgoing_ready.wait()
            self._outgoing_ready.clear()
            for group, messages in publish.taken_from(self._outgoing):
                await self._send(group, messages)

    async def _send(self, group: str, messages: list[publish.Message]) -> None:
        if self._loop.time() < self._broken_until:
            metrics.publish_failures.inc(len(messages))
            return
        try:
            async with asyncio.timeout(publish.DEADLINE_SECONDS):
                await publish.send(self._layer, group, messages)
            self.ok = True
        except Exception as error:  # noqa: BLE001  whatever a layer raises: the log has it
            self._broken_until = self._loop.time() + BREAK_SECONDS
            self.ok = False
            metrics.publish_failures.inc(len(messages))
            log.warning("the channel layer does not publish: %s", type(error).__name__)

    async def _read(self) -> None:
        while True:
            try:
                if self._channel is None:
                    self._channel = await self._layer.new_channel("gapless")
                    self._groups_changed.set()
                received = await self._layer.receive(self._channel)
                for message in publish.messages_in(received):
                    self._take_in(message)
            except Exception as error:  # noqa: BLE001  whatever a layer raises: the log repairs
                log.warning("the channel layer does not deliver: %s", type(error).__name__)
                await asyncio.sleep(RETRY_SECONDS)

    def _take_in(self, message: publish.Message) -> None:
        if message["type"] == publish.FRAME:
            text, ends = message["text"], message["ends"]
            self._arrived(Frame(message["stream"], message["seq"], text, ends))
        else:
            self._said(message)

    async def _keep_groups(self) -> None:
        while True:
            await self._groups_changed.wait()
            self._groups_changed.clear()
            if self._channel is not None:
                await self._join_and_leave(self._channel)

    async def _join_and_leave(self, channel: str) -> None:
        try:
            for group in self._joined - set(self._wanted):
                await self._layer.group_discard(group, channel)
                self._joined.discard(group)
            new = set(self._wanted) - self._joined
            for group in new:
                await self._layer.group_add(group, channel)
                self._joined.add(group)
        except Exception as error:  # noqa: BLE001  whatever a layer raises: the tick delivers
            log.warning("the channel layer does not listen: %s", type(error).__name__)
            self._loop.call_later(RETRY_SECONDS, self._groups_changed.set)
            return
        if new:
            await self._joined_now(new)
