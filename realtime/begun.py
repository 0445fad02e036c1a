"""What one socket has begun and others finish: answered in order, bounded in number."""

import asyncio
import contextlib
from collections.abc import Callable
from concurrent.futures import Future
from contextvars import Context, copy_context
from typing import Any

from realtime.connection import Connection
from realtime.protocol import CommandId

BEGUN_MAX = 64  # commands of one socket under way; its next frame waits for them

Answer = Callable[[Future[Any], CommandId], None]


class Begun:
    """The commands of one socket that are under way; ``answer`` gets each that is done."""

    __slots__ = ("_answer", "_connection", "_loop", "_settled")

    def __init__(self, connection: Connection, answer: Answer) -> None:
        self._connection, self._answer = connection, answer
        self._loop = asyncio.get_running_loop()
        self._settled: asyncio.Event | None = None

    def add(self, begun: Future[Any], command_id: CommandId) -> None:
        """Answer a command when it is done, which another thread will say."""
        self._connection.under_way += 1
        context = copy_context()
        begun.add_done_callback(lambda done: self._hand_over(done, command_id, context))

    async def room(self) -> None:
        """Wait until another one may begin."""
        if self._connection.under_way >= BEGUN_MAX:
            await self.settled()

    async def settled(self) -> None:
        """Wait until all that was begun has been answered."""
        if self._connection.under_way:
            self._settled = self._settled or asyncio.Event()
            await self._settled.wait()

    def _hand_over(self, done: Future[Any], command_id: CommandId, context: Context) -> None:
        with contextlib.suppress(RuntimeError):  # the loop has ended: nobody waits
            self._loop.call_soon_threadsafe(self._done, done, command_id, context=context)

    def _done(self, done: Future[Any], command_id: CommandId) -> None:
        self._answer(done, command_id)
        self._connection.answered()
        if self._connection.under_way == 0 and self._settled is not None:
            self._settled.set()
            self._settled = None
