"""One way in which access ends, played by people of its own on open sockets."""

import asyncio
import time
from contextlib import AsyncExitStack

from tests.clients import FRAME_SECONDS, Person, Socket
from tests.servers import Server, World


class Ending:
    """One way. Who acts is at ``here``, who loses their access has sockets at ``there``."""

    def __init__(self, world: World, here: Server, there: Server) -> None:
        self.world, self.here, self.there = world, here, there
        self.alice = Person.register(here.url, "alice")
        self.bob = Person.register(there.url, "bob")
        self.room: str = self.alice.create_room(self.bob)["id"]
        self.ended_at = 0.0  # on the clock of ``time.monotonic``
        self.watches: list[asyncio.Task[float]] = []

    async def open(self, stack: AsyncExitStack) -> None:
        """Open the sockets, and begin to read those that will be told."""
        raise NotImplementedError

    def end(self) -> None:
        """End the access."""
        raise NotImplementedError

    async def check_at_once(self) -> None:
        """See that every door is shut, before any socket has been told."""
        raise NotImplementedError

    async def check_after(self) -> None:
        """See what the sockets were told, now that it is over."""

    async def begin(self) -> None:
        """Begin what goes on while the access ends."""

    async def play(self) -> float:
        """End it and look; return after how many seconds the last socket knew."""
        await self.begin()
        await asyncio.to_thread(self.end)
        self.ended_at = self.ended_at or time.monotonic()
        await self.check_at_once()
        over = await asyncio.gather(*self.watches)
        await self.check_after()
        return max(over) - self.ended_at

    async def opened(self, stack: AsyncExitStack, person: Person, *subscribed: str) -> Socket:
        """Return an open socket at ``there``, with these streams."""
        socket = await stack.enter_async_context(person.at(self.there.url).socket())
        await socket.opened()
        if subscribed:
            await socket.subscribe(*subscribed)
        return socket

    async def in_room(self, stack: AsyncExitStack, person: Person) -> Socket:
        """Return an open socket of the room at ``there``."""
        path = f"/ws/rooms/{self.room}/"
        socket = await stack.enter_async_context(person.at(self.there.url).socket(path))
        await socket.opened()
        await socket.until("subscribed")
        return socket


async def closing(socket: Socket, code: int) -> float:
    """Return when a socket was closed, with this code."""
    bye, closed = await socket.closed(2 * FRAME_SECONDS)
    assert (bye.get("code"), closed) == (code, code)
    return time.monotonic()
