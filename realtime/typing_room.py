"""Who is typing in one room, and what is to be told of it next: one frame a second. Pure.

A person types for as long as one of their sockets does: until it says that it does not, or
says nothing for a while. Whoever begins and ends between two frames is not told of at all.
"""

TYPING_SECONDS = 6.0  # without renewal
FRAME_SECONDS = 1.0  # between two frames of a room


class TypingRoom:
    """One room. Times are seconds of one clock; a source is the id of a socket."""

    __slots__ = ("_again", "_known", "_next_at", "_sources", "_waiting")

    def __init__(self) -> None:
        self._sources: dict[str, dict[str, float]] = {}  # person → source → until
        self._known: set[str] = set()  # those of whom it has been told that they type
        self._again: set[str] = set()  # of those, who is told of once more when they renew it
        self._waiting: dict[str, None] = {}  # whose turn it is to be told of
        self._next_at = 0.0

    def began(self, user: str, source: str, until: float) -> None:
        """Note that somebody types, or does so still."""
        self._sources.setdefault(user, {})[source] = until
        self._waiting.setdefault(user)

    def ended(self, user: str, source: str | None = None) -> list[str]:
        """Note that somebody types no more, on one socket or on all; return on which they did."""
        sources = self._sources.get(user, {})
        gone = [found for found in sources if source in (None, found)]
        for found in gone:
            del sources[found]
        if gone and not sources:
            del self._sources[user]
            self._waiting.setdefault(user)
        return gone

    def expire(self, now: float) -> list[tuple[str, str]]:
        """End what was not renewed; return the persons and sources that were."""
        return [
            (user, gone)
            for user, sources in list(self._sources.items())
            for source in [source for source, until in sources.items() if until <= now]
            for gone in self.ended(user, source)
        ]

    def somebody_came(self) -> None:
        """Tell it all again as it is renewed: there is one who has not heard it."""
        self._again |= self._known

    def next_frame(self, now: float) -> tuple[str, bool] | None:
        """Return of whom to tell that they type, or do not, if it is time for that."""
        if now < self._next_at:
            return None
        while self._waiting:
            user = next(iter(self._waiting))
            del self._waiting[user]
            active = user in self._sources
            if active != (user in self._known) or (active and user in self._again):
                self._again.discard(user)
                (self._known.add if active else self._known.discard)(user)
                self._next_at = now + FRAME_SECONDS
                return user, active
        return None

    def due(self, now: float) -> float | None:
        """Return when to ask again; None when there is nothing left to remember."""
        times = [until for sources in self._sources.values() for until in sources.values()]
        if self._waiting or self._next_at > now:
            times.append(self._next_at)
        return min(times, default=None)
