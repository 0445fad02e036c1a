"""A few threads that live long, each with database connections of its own."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from django.db import connections

Result = TypeVar("Result")


class Thread:
    """Does one thing after the other, in the order in which it is told to."""

    def __init__(self) -> None:
        self._executor = ThreadPoolExecutor(1, thread_name_prefix="http")

    def run(self, function: Callable[..., Result], *args: object) -> asyncio.Future[Result]:
        """Run a function after everything that the thread was told before."""
        return asyncio.get_running_loop().run_in_executor(self._executor, function, *args)

    def end(self) -> asyncio.Future[None]:
        """Close its connections and end it, after everything that it was told before."""
        ended = self.run(connections.close_all)
        self._executor.shutdown(wait=False)
        return ended


class Threads:
    """Gives each a thread of its own, in the order in which they came."""

    def __init__(self, count: int) -> None:
        self._count = count
        self._turns = asyncio.Semaphore(count)
        self._idle = [Thread() for _ in range(count)]

    async def take(self) -> Thread:
        """Wait for a thread."""
        await self._turns.acquire()
        return self._idle.pop()  # the last one used: where little is to do, few are connected

    def give_back(self, thread: Thread) -> None:
        """Let the next one have it."""
        self._idle.append(thread)
        self._turns.release()

    async def end(self) -> None:
        """Wait until nobody has a thread, and end them all."""
        await asyncio.gather(*[(await self.take()).end() for _ in range(self._count)])
