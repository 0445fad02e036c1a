"""A few at once, some waiting, the others turned away: before a thread is taken."""

import asyncio

from api.errors import Unavailable


class Lane:
    """Lets ``abreast`` through at the same moment, in the order in which they came."""

    def __init__(self, abreast: int, waiting_max: int) -> None:
        self._places = abreast + waiting_max
        self._turns = asyncio.Semaphore(abreast)
        self._inside = 0

    async def turn(self) -> None:
        """Wait for one's turn, to be given up later.

        Raises:
            Unavailable: too many wait.
        """
        if self._inside >= self._places:
            raise Unavailable("Too many requests of this kind at once.")
        self._inside += 1
        try:
            await self._turns.acquire()
        except BaseException:  # who waited has gone
            self._inside -= 1
            raise

    def give_up(self) -> None:
        """Let the next one have the turn."""
        self._inside -= 1
        self._turns.release()
