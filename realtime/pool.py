"""Database work of sockets: a few threads that live long and keep their connections.

What clients who are in ask for waits for its like alone. The rest has threads of its own: who comes
in and stays, what repairs streams, who is here.
"""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from typing import ParamSpec, TypeVar

from django.db import close_old_connections

THREADS = 4  # sockets of one process that read or write at the same moment
THREADS_FOR_ALL = 2

Arguments = ParamSpec("Arguments")
Result = TypeVar("Result")

_asked = ThreadPoolExecutor(THREADS, thread_name_prefix="realtime")
_for_all = ThreadPoolExecutor(THREADS_FOR_ALL, thread_name_prefix="realtime-for-all")


async def run(
    function: Callable[Arguments, Result], *args: Arguments.args, **kwargs: Arguments.kwargs
) -> Result:
    """Run a function that uses the database, without holding up the loop, in the same context."""
    return await _run(_asked, lambda: _call(function, *args, **kwargs))


async def run_for_all(
    function: Callable[Arguments, Result], *args: Arguments.args, **kwargs: Arguments.kwargs
) -> Result:
    """Run what does not wait for what clients have asked for, however much that is."""
    return await _run(_for_all, lambda: _call(function, *args, **kwargs))


async def _run(executor: ThreadPoolExecutor, call: Callable[[], Result]) -> Result:
    context = copy_context()
    return await asyncio.get_running_loop().run_in_executor(executor, context.run, call)


def _call(
    function: Callable[Arguments, Result], *args: Arguments.args, **kwargs: Arguments.kwargs
) -> Result:
    try:
        return function(*args, **kwargs)
    finally:
        close_old_connections()  # only one that has failed: CONN_MAX_AGE is None
