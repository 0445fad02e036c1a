"""A few at once, some waiting, the others turned away: before a thread is taken."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from api.errors import Unavailable


class Lane:
    """Lets ``abreast`` through at the same moment, in the order in which they came."""

    def __init__(self, abreast: int, waiting_max: int) -> None:
        self._places = abreast + waiting_max
        self._turns = asyncio.Semaphore(abreast)
        self._inside = 0

    @asynccontextmanager
    async def turn(self) -> AsyncIterator[None]:
        """Wait for one's turn, and have it.

        Raises:
            Unavailable: too many wait.
        """
        if self._inside >= self._places:
            raise Unavailable("Too many requests of this kind at once.")
        self._inside += 1
        try:
            async with self._turns:
                yield
        finally:
            self._inside -= 1
