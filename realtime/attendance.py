"""Who has sockets in this process, and how present they make each person. Pure.

A person is as present as the most present of their sockets. One that ended without a word
counts for a while yet, or until the next one opens: whoever comes back was never gone.
"""

from collections.abc import Hashable
from typing import Literal

from accounts.schemas import Choice

Status = Literal["online", "away", "dnd"]  # how they are seen; offline is none of these

SIGN_SECONDS = 45.0  # a socket that gave no sign for so long is gone, by promise P8,
ABSENCE_SECONDS = 18.0  # and one that ended without a word so long after: 20, less what it takes

_RANKS: dict[Status, int] = {"away": 1, "online": 2, "dnd": 3}


class _Seat:
    """A socket; ``until`` is when it counts no more, if it has ended."""

    __slots__ = ("in_front", "source", "until")

    def __init__(self, source: Hashable) -> None:
        self.source, self.in_front = source, True
        self.until: float | None = None


def over_at(now: float, *, clean: bool, heard_at: float) -> float:
    """Return until when a socket counts that has ended now, and was last heard of then."""
    return now if clean else min(heard_at + SIGN_SECONDS, now + ABSENCE_SECONDS)


def most_present(statuses: list[Status]) -> Status | None:
    """Return how a person is seen who is seen in several ways; None is offline."""
    return max(statuses, key=_RANKS.__getitem__, default=None)


class Attendance:
    """The people of one process. Times are seconds of one clock; a source is a socket."""

    def __init__(self) -> None:
        self._seats: dict[str, tuple[_Seat, ...]] = {}
        self._choices: dict[str, Choice] = {}
        self._ending: dict[str, float] = {}  # person → when the next of their sockets ends
        self._moved: set[str] = set()
        self._doubtful: set[str] = set()  # who has chosen anew while it is looked up

    def opened(self, user: str, source: Hashable) -> None:
        """Count a socket, in the place of those that ended without a word."""
        seats = self._seats.get(user, ())
        if self._ending.pop(user, None) is not None:
            seats = tuple(seat for seat in seats if seat.until is None)
        self._seats[user] = (*seats, _Seat(source))
        self._moved.add(user)

    def in_front(self, user: str, source: Hashable, active: bool) -> None:
        """Note whether the application is what the person looks at."""
        for seat in self._seats.get(user, ()):
            if seat.source == source and seat.in_front != active:
                seat.in_front = active
                self._moved.add(user)

    def ended(self, user: str, source: Hashable, until: float) -> None:
        """Count a socket until then, and no more. Harmless when it is not counted."""
        for seat in self._seats.get(user, ()):
            if seat.source == source and seat.until is None:
                seat.until = until
                self._ending[user] = min(until, self._ending.get(user, until))

    def expire(self, now: float) -> None:
        """Let go of the sockets whose time is over."""
        for user in [user for user, until in self._ending.items() if until <= now]:
            kept = tuple(
                seat for seat in self._seats[user] if seat.until is None or seat.until > now
            )
            del self._ending[user]
            ends = [seat.until for seat in kept if seat.until is not None]
            if ends:
                self._ending[user] = min(ends)
            if kept:
                self._seats[user] = kept
            else:
                del self._seats[user]
            self._moved.add(user)

    def asking(self) -> list[str]:
        """Return the undecided, about to be looked up: what changes from now on comes after."""
        self._doubtful.clear()
        return self.undecided()

    def chosen(self, user: str, choice: Choice) -> None:
        """Note how a person wants to be seen, unless they have chosen anew since it was asked."""
        if user in self._seats and user not in self._doubtful:
            self._choices[user] = choice
            self._moved.add(user)

    def choice_changed(self, user: str) -> None:
        """Note that it is not known any more how a person wants to be seen."""
        if self._choices.pop(user, None) is not None:
            self._moved.add(user)
        elif user in self._seats:
            self._doubtful.add(user)

    def undecided(self) -> list[str]:
        """Return of whom it is not known how they want to be seen."""
        return [user for user in self._moved if user in self._seats and user not in self._choices]

    def absent(self) -> list[str]:
        """Return whose sockets have all ended: who counts for a while yet, and hears nothing."""
        return [
            user
            for user in self._ending
            if all(seat.until is not None for seat in self._seats[user])
        ]

    def moved(self) -> dict[str, Status | None]:
        """Return how those are seen now who may be seen otherwise than the last time.

        Who is undecided has to wait: nobody is seen in a way that they do not want.
        """
        waiting = set(self.undecided())
        found = {user: self.status(user) for user in self._moved - waiting}
        self._moved = waiting
        for user in found.keys() - self._seats.keys():
            self._choices.pop(user, None)
        return found

    def status(self, user: str) -> Status | None:
        """Return how a person is seen, as far as this process makes them; None is offline."""
        seats, choice = self._seats.get(user), self._choices.get(user)
        if not seats or choice is None or choice == "invisible":
            return None
        if choice != "online":
            return choice
        return "online" if any(seat.in_front for seat in seats) else "away"

    def knows(self, user: str) -> bool:
        """Tell whether a person has sockets here."""
        return user in self._seats

    def settled(self, user: str) -> bool:
        """Tell whether ``moved`` has nothing new about a person."""
        return user not in self._moved

    def visible(self) -> list[str]:
        """Return who is seen."""
        return [user for user in self._seats if self.status(user) is not None]
