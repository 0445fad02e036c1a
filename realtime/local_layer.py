"""A channel layer for one process: bounded queues, no sweeps, no expiry.

Beside what Channels asks of a layer there is nothing here: what a full queue drops, the
log repairs.
"""

import asyncio
import itertools
from collections import defaultdict
from typing import Any

from channels.layers import BaseChannelLayer
from typing_extensions import override

QUEUE_MAX = 10_000  # messages of one channel that nobody has received yet


class LocalChannelLayer(BaseChannelLayer):
    """Channels and groups in this process's memory; to be used from one event loop."""

    extensions = ["groups", "flush"]

    def __init__(self) -> None:
        super().__init__()
        self._numbers = itertools.count(1)
        self._queues: dict[str, asyncio.Queue[dict[str, Any]]] = {}
        self._groups: dict[str, set[str]] = defaultdict(set)

    @override
    async def new_channel(self, prefix: str = "specific") -> str:
        """Return the name of a channel nobody else has."""
        name = f"{prefix}.local!{next(self._numbers)}"
        self._queue(name)
        return name

    @override
    async def send(self, channel: str, message: dict[str, Any]) -> None:
        """Put a message into a channel; a full channel drops it."""
        self._put(channel, message)

    @override
    async def receive(self, channel: str) -> dict[str, Any]:
        """Wait for the next message of a channel."""
        return await self._queue(channel).get()

    @override
    async def group_add(self, group: str, channel: str) -> None:
        """Let a channel have the messages of a group."""
        self._groups[group].add(channel)

    @override
    async def group_discard(self, group: str, channel: str) -> None:
        """Let a channel have them no more."""
        self._groups[group].discard(channel)
        if not self._groups[group]:
            del self._groups[group]

    @override
    async def group_send(self, group: str, message: dict[str, Any]) -> None:
        """Put a message into every channel of a group."""
        for channel in self._groups.get(group, ()):
            self._put(channel, dict(message))

    async def flush(self) -> None:
        """Forget everything."""
        self._queues.clear()
        self._groups.clear()

    def _queue(self, channel: str) -> asyncio.Queue[dict[str, Any]]:
        if channel not in self._queues:
            self._queues[channel] = asyncio.Queue(QUEUE_MAX)
        return self._queues[channel]

    def _put(self, channel: str, message: dict[str, Any]) -> None:
        queue = self._queue(channel)
        if not queue.full():
            queue.put_nowait(message)
