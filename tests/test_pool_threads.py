"""A thread of the pool: one thing after the other, each told to whoever waits for it."""

import asyncio
import contextlib
import gc
import subprocess
import sys
import threading
import weakref
from collections.abc import Iterator
from typing import Any

import pytest

from config.threads import Thread
from tests.servers import PROJECT

SECONDS = 30.0  # the deadline of a wait


@pytest.fixture
def thread() -> Iterator[Thread]:
    """A thread, ended after."""
    made = Thread()
    yield made
    asyncio.run(_end(made))


async def _end(thread: Thread) -> None:
    await thread.end()


class Fault(Exception):
    """Of the work."""


class Thing:
    """Something that work holds or gives back."""


def failing() -> None:
    raise Fault


async def test_it_does_one_thing_after_the_other_and_tells_how_each_has_ended(
    thread: Thread,
) -> None:
    done: list[int] = []
    waiting = [thread.run(done.append, number) for number in range(100)]
    failed, last = thread.run(failing), thread.run(threading.get_ident)
    assert await asyncio.gather(*waiting) == [None] * 100
    assert done == list(range(100))
    with pytest.raises(Fault):
        await failed
    assert await last not in (threading.get_ident(), None)
    assert await last == await thread.run(threading.get_ident)


async def test_what_nobody_waits_for_any_more_is_done_all_the_same(thread: Thread) -> None:
    may_go_on, done = threading.Event(), list[str]()
    waiting: list[asyncio.Future[Any]] = [
        thread.run(may_go_on.wait, 10),
        thread.run(done.append, "first"),
        thread.run(failing),
    ]
    for one in waiting:
        one.cancel()
    may_go_on.set()
    await thread.run(done.append, "last")
    assert done == ["first", "last"]


def test_it_outlives_the_loop_that_it_works_for(thread: Thread) -> None:
    may_go_on, done = threading.Event(), list[str]()

    async def leave() -> tuple[Any, Any]:
        return thread.run(may_go_on.wait, 10), thread.run(done.append, "for nobody")

    async def come() -> int:
        return await thread.run(threading.get_ident)

    asyncio.run(leave())
    may_go_on.set()
    assert asyncio.run(come()) == asyncio.run(come())
    assert done == ["for nobody"]


async def test_it_keeps_nothing_of_what_it_has_done(thread: Thread) -> None:
    gc.disable()
    try:
        thing = Thing()
        kept = [weakref.ref(thing), weakref.ref(await thread.run(Thing))]
        await thread.run(id, thing)
        with contextlib.suppress(Fault):
            await thread.run(fail_with, thing)
        del thing
        await thread.run(int)
        assert [found() for found in kept] == [None, None]
    finally:
        gc.enable()


def fail_with(_: Thing) -> None:
    raise Fault


async def test_it_takes_nothing_after_its_end() -> None:
    """Whoever comes then would wait for ever, and the end of the server with them."""
    thread, done = Thread(), list[str]()
    first = thread.run(done.append, "first")
    await thread.end()
    await first
    assert done == ["first"]
    with pytest.raises(RuntimeError):
        await asyncio.wait_for(thread.run(done.append, "late"), SECONDS)


@pytest.mark.parametrize(
    "begin", ["asyncio.run(main())", "get_context('fork').Process(target=begin).start()"]
)
def test_the_end_of_a_process_cuts_nothing_off(begin: str) -> None:
    program = """
import asyncio, time
from multiprocessing import get_context
from config.threads import Thread

def work():
    time.sleep(0.5)
    print("done", flush=True)

async def main():
    Thread().run(work)

def begin():
    asyncio.run(main())

"""
    done = subprocess.run(
        [sys.executable, "-c", program + begin],
        cwd=PROJECT,
        capture_output=True,
        text=True,
        check=True,
    )
    assert (done.stdout, done.stderr) == ("done\n", "")
