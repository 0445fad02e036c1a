"""Database work of sockets: a few threads that live long and keep their connections."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from typing import ParamSpec, TypeVar

from django.db import close_old_connections

THREADS = 4  # sockets of one process that read or write at the same moment

Arguments = ParamSpec("Arguments")
Result = TypeVar("Result")

_executor = ThreadPoolExecutor(THREADS, thread_name_prefix="realtime")


async def run(
    function: Callable[Arguments, Result], *args: Arguments.args, **kwargs: Arguments.kwargs
) -> Result:
    """Run a function that uses the database, without holding up the loop, in the same context."""
    loop, context = asyncio.get_running_loop(), copy_context()
    return await loop.run_in_executor(
        _executor, lambda: context.run(lambda: _call(function, *args, **kwargs))
    )


def _call(
    function: Callable[Arguments, Result], *args: Arguments.args, **kwargs: Arguments.kwargs
) -> Result:
    try:
        return function(*args, **kwargs)
    finally:
        close_old_connections()  # only one that has failed: CONN_MAX_AGE is None
