"""A few threads that live long, each with database connections of its own."""

import asyncio
import contextlib
import threading
from collections.abc import Callable
from multiprocessing.util import Finalize
from queue import SimpleQueue
from typing import Any, NamedTuple, TypeVar

from django.db import connections

Result = TypeVar("Result")


class _Work(NamedTuple):
    function: Callable[..., Any]
    args: tuple[Any, ...]
    done: asyncio.Future[Any]


class Thread:
    """Does one thing after the other, in the order in which it is told to.

    It begins with the first of them. An executor of one thread takes three times as long to hand
    on a request and its answer (docs/decisions/0012).
    """

    def __init__(self) -> None:
        self._told: SimpleQueue[_Work | None] = SimpleQueue()
        self._begun = self._ended = False

    def run(self, function: Callable[..., Result], *args: object) -> asyncio.Future[Result]:
        """Run a function after everything that the thread was told before.

        Raises:
            RuntimeError: it was ended.
        """
        if self._ended:
            raise RuntimeError("The thread has ended.")
        if not self._begun:
            self._begun = True
            thread = threading.Thread(target=_work, args=(self._told,), name="http", daemon=True)
            thread.start()
            Finalize(None, _finish, (self._told, thread), exitpriority=0)
        done: asyncio.Future[Result] = asyncio.get_running_loop().create_future()
        self._told.put(_Work(function, args, done))
        return done

    def end(self) -> asyncio.Future[None]:
        """Close its connections and end it, after everything that it was told before."""
        closed = self.run(connections.close_all)
        self._ended = True
        self._told.put(None)
        return closed


def _finish(told: "SimpleQueue[_Work | None]", thread: threading.Thread) -> None:
    """Let the end of the process, a worker's too, cut nothing off that has begun."""
    told.put(None)
    thread.join()


def _work(told: "SimpleQueue[_Work | None]") -> None:
    while (work := told.get()) is not None:
        outcome = _outcome(work.function, work.args)
        with contextlib.suppress(RuntimeError):  # the loop has ended: nobody waits
            work.done.get_loop().call_soon_threadsafe(_tell, work.done, *outcome)
        del work, outcome  # a request and its answer; the next one may be long in coming


def _outcome(
    function: Callable[..., Any], args: tuple[Any, ...]
) -> tuple[Any, BaseException | None]:
    try:
        return function(*args), None
    except BaseException as error:  # noqa: BLE001  it is raised where somebody waits for it
        return None, error


def _tell(done: asyncio.Future[Any], result: Any, error: BaseException | None) -> None:
    if done.done():  # whoever waited has been cancelled
        return
    if error is None:
        done.set_result(result)
    else:
        done.set_exception(error)


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
