"""Who is seen on which process: each tells of its own people, and hears of the others'.

Two forms of one thing, under one suite: in this process, and in Redis. What a process has
told holds for as long as it gives signs of life, and a little longer.
"""

import time
import uuid
from collections.abc import Callable, Mapping
from typing import Protocol

from realtime.attendance import Status
from realtime.registry import LEASE_SECONDS

ALIVE_SECONDS = 10.0  # without a sign of life it is not there,
PATIENCE_SECONDS = 6.0  # and is believed gone: at most 20 s after its end, by promise P8

Changes = Mapping[str, Status | None]
Clock = Callable[[], float]


class Roster(Protocol):
    """What one process tells the others of its people, and what they tell it."""

    async def close(self) -> None:
        """Tell nothing any more; what was told holds for a little longer."""

    def tell(self, changes: Changes) -> None:
        """Have it told by the next ``exchange`` who is seen how here; None is no more."""

    async def exchange(self) -> set[str]:
        """Tell and hear; return whose status on other processes may be another one."""

    def elsewhere(self, user: str) -> list[Status]:
        """Return how a person is seen on other processes."""


class Heard:
    """What the others have told: a table of people for each process, until it is gone."""

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self.tables: dict[str, dict[str, Status]] = {}
        self._signs: dict[str, float] = {}
        self._missed: dict[str, float] = {}

    def alive(self, process: str) -> None:
        """Note a sign of life."""
        self._signs[process] = self.clock()
        self._missed.pop(process, None)

    def missed(self, process: str) -> set[str]:
        """Note that there is none; return whom that takes away."""
        first = self._missed.setdefault(process, self.clock())
        return self.replace(process, None) if self.clock() >= first + PATIENCE_SECONDS else set()

    def lapsed(self) -> set[str]:
        """Return whom it takes away that there has been no sign, or no way to hear one."""
        over = self.clock() - LEASE_SECONDS
        gone = [process for process, sign in self._signs.items() if sign <= over]
        return {user for process in gone for user in self.replace(process, None)}

    def replace(self, process: str, table: dict[str, Status] | None) -> set[str]:
        """Take a process's table, None when it is gone; return who differs."""
        old, new = self.tables.pop(process, {}), table or {}
        if table is None:
            self._signs.pop(process, None)
            self._missed.pop(process, None)
        else:
            self.tables[process] = table
        return {user for user in old.keys() | new.keys() if old.get(user) != new.get(user)}

    def elsewhere(self, user: str) -> list[Status]:
        """Return how a person is seen on other processes."""
        return [table[user] for table in self.tables.values() if user in table]


def applied(table: Mapping[str, Status], changes: Changes) -> dict[str, Status]:
    """Return a table with changes."""
    merged = {**table, **changes}
    return {user: status for user, status in merged.items() if status is not None}


Board = dict[str, tuple[float, dict[str, Status]]]  # process → its last sign, its people


class LocalRoster:
    """In this process: whoever shares the board is another one."""

    def __init__(self, board: Board | None = None, clock: Clock = time.monotonic) -> None:
        self._board: Board = {} if board is None else board
        self._process = uuid.uuid4().hex
        self._heard = Heard(clock)
        self._table: dict[str, Status] = {}

    def tell(self, changes: Changes) -> None:
        self._table = applied(self._table, changes)

    async def exchange(self) -> set[str]:
        now = self._heard.clock()
        moved: set[str] = set()
        self._board[self._process] = now, self._table
        for process, (sign, table) in list(self._board.items()):
            if process != self._process and sign > now - ALIVE_SECONDS:
                self._heard.alive(process)
                if self._heard.tables.get(process) is not table:
                    moved |= self._heard.replace(process, table)
        for process in list(self._heard.tables):
            if self._board[process][0] <= now - ALIVE_SECONDS:
                moved |= self._heard.missed(process)
        return moved

    def elsewhere(self, user: str) -> list[Status]:
        return self._heard.elsewhere(user)

    async def close(self) -> None:
        """Nothing is held."""
