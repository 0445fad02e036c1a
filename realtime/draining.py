"""How a server ends: unready, sockets sent away, requests finished, code 0."""

import asyncio
import contextlib
import gc
import os
import signal
import socket
from types import FrameType

import uvicorn
from django.conf import settings
from typing_extensions import override

from realtime import here
from realtime.close_codes import DRAINING
from realtime.hub import Hub
from realtime.workers import HURRY

HURRIED_SECONDS = 3  # for requests under way after a second signal


class ChatServer(uvicorn.Server):
    """uvicorn, which drains before it stops listening, and leaves with 0.

    The first signal begins the drain, the second hurries it. A worker is hurried only by the
    supervisor it belongs to, and goes without grace when that one is gone.
    """

    def __init__(self, config: uvicorn.Config, supervisor: int | None = None) -> None:
        super().__init__(config)
        self._supervisor = supervisor
        self._grace_over = asyncio.Event()

    @override
    async def serve(self, sockets: list[socket.socket] | None = None) -> None:
        if self._supervisor is not None:
            asyncio.get_running_loop().add_signal_handler(HURRY, self._hurry)
        await super().serve(sockets)

    @override
    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        gc.collect()
        gc.freeze()
        gc.set_threshold(10_000, 10, 10)

    @override
    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        loop = asyncio.get_running_loop()
        if sig == signal.SIGINT:  # somebody at a keyboard waits for no balancer
            loop.call_soon_threadsafe(self._grace_over.set)
        if self.should_exit and self._supervisor is None:
            loop.call_soon_threadsafe(self._hurry)
        self.should_exit = True

    @override
    async def on_tick(self, counter: int) -> bool:
        if self._supervisor not in (None, os.getppid()):
            self._grace_over.set()  # whoever starts the service again wants the port
            return True
        return await super().on_tick(counter)

    @override
    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        found = here.running()
        if found is not None:
            await drain(found.hub, settings.LIMITS.drain_seconds or 0, self._grace_over)
        await super().shutdown(sockets)
        if self.force_exit:  # uvicorn leaves this out then
            await self.lifespan.shutdown()

    def _hurry(self) -> None:
        self._grace_over.set()
        asyncio.get_running_loop().call_later(HURRIED_SECONDS, self._cut)

    def _cut(self) -> None:
        self.force_exit = True


async def drain(found: Hub, seconds: float, over: asyncio.Event) -> None:
    """Be unready for so long, and meanwhile send every socket away, one after the other.

    ``over`` ends the wait: all that are left go at once.
    """
    found.draining = True
    loop = asyncio.get_running_loop()
    end = loop.time() + seconds
    connections = list(found.connections)
    for place, connection in enumerate(connections):
        connection.leave(DRAINING)
        found.forget(connection)
        await _wait(over, (end - loop.time()) / (len(connections) - place))
    await _wait(over, end - loop.time())


async def _wait(over: asyncio.Event, seconds: float) -> None:
    await asyncio.sleep(0)  # what closes a socket is a task: else uvicorn closes it with 1012
    if seconds > 0:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await over.wait()
