"""A few at once, some waiting, the others turned away: before a thread is taken."""

import asyncio
from collections.abc import Callable

from api.errors import Unavailable


class Lane:
    """Lets ``abreast`` through at the same moment, in the order in which they came."""

    def __init__(self, abreast: int, waiting_max: int) -> None:
        self._places = abreast + waiting_max
        self._turns = asyncio.Semaphore(abreast)
        self._inside = 0

    async def turn(self) -> Callable[[], None]:
        """Wait for one's turn; return how to give it up, which may be done twice.

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
        held = [self]

        def give_up() -> None:
            if held:
                held.clear()
                self._inside -= 1
                self._turns.release()

        return give_up
