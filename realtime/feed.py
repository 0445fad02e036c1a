"""One stream in this process: order, holes, and when to ask the log. Pure.

Theory. The channel layer may lose, double, delay and swap frames. The log may not. A feed
has one *position*: everything up to it has been delivered, nothing above it.

    arrived   a frame at or below the position is a double: dropped. The next one is
              delivered, with all that is held right behind it. A later one is held, and
              what lies between is a *hole*.
    hole      may only be late: it is waited for (HOLE_WAITS_SECONDS). Then it is fetched
              from the log. While a fetch is under way, frames are held as before.
    pointer   a frame without text says that only the log has the event: a hole that
              nothing is going to fill, so it is fetched at once.
    head      the log's own number for the stream, read now and then: whatever the layer
              lost, the last event too, shows up as a hole.
    fetched   is delivered as one run up to the number that was asked for, and moves the
              position there, also where the log left events out. An answer to another
              question than its own (a feed's before this one) is dropped.

What is held is bounded; what is not held is a hole, and so is fetched. A feed never skips:
in what it skipped, somebody's permission may have ended. So every subscriber gets each
number once, in order, whatever happens: tests/test_feed.py tries all of it.

Time comes in as an argument (seconds, monotonic), effects go out as values.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from api.log.frames import Frame

HOLE_WAITS_SECONDS = 0.2  # a frame that is only late has come by then
HELD_MAX = 1_000  # frames above a hole; more are dropped and fetched
FETCH_MAX = 1_000  # events in one fetch


@dataclass(frozen=True)
class Deliver:
    """Everything numbered above ``after`` up to ``to``; left-out numbers have no frame."""

    after: int
    to: int
    frames: Sequence[Frame]


@dataclass(frozen=True)
class Fetch:
    """Ask the log for everything numbered above ``after`` up to ``to``."""

    after: int
    to: int


Effect = Deliver | Fetch


class Feed:
    """The state of one stream in this process; opened at a head of the log."""

    __slots__ = ("_fetching", "_held", "_hole_since", "_overdue", "known", "position")

    def __init__(self, head: int) -> None:
        self.position = head
        self.known = head  # the highest number heard of
        self._overdue = head  # numbers up to here are not waited for any more
        self._held: dict[int, Frame] = {}
        self._hole_since: float | None = None
        self._fetching: Fetch | None = None  # the one question under way

    @property
    def due(self) -> float | None:
        """When ``tick`` has something to do; None while nothing is missing."""
        if self._hole_since is None or self._fetching is not None:
            return None
        return self._hole_since + HOLE_WAITS_SECONDS

    def arrived(self, frame: Frame, now: float) -> list[Effect]:
        """Take a frame from the channel layer."""
        if frame.seq <= self.position:
            return []
        self.known = max(self.known, frame.seq)
        if frame.text is None:
            self._overdue = max(self._overdue, frame.seq)
        elif len(self._held) < HELD_MAX or frame.seq == self.position + 1:
            self._held[frame.seq] = frame
        return self._proceed(now)

    def head_seen(self, head: int, now: float) -> list[Effect]:
        """Take the stream's head, as the log has it."""
        self.known = max(self.known, head)
        return self._proceed(now)

    def tick(self, now: float) -> list[Effect]:
        """Give up waiting for what is missing too long."""
        if self.due is None or now < self.due:
            return []
        self._overdue = self.known
        return self._proceed(now)

    def fetched(self, asked: Fetch, frames: Sequence[Frame], now: float) -> list[Effect]:
        """Take what the log answered."""
        if asked is not self._fetching:
            return []
        self._fetching = self._hole_since = None
        effects: list[Effect] = []
        if asked.to > self.position:
            fresh = [frame for frame in frames if frame.seq > self.position]
            effects.append(Deliver(self.position, asked.to, fresh))
            self._advance(asked.to)
        return effects + self._proceed(now)

    def fetch_failed(self, asked: Fetch, now: float) -> None:
        """Wait, and ask again: the log did not answer."""
        if asked is self._fetching:
            self._fetching = None
            self._overdue = self.position
            self._hole_since = now if self.known > self.position else None

    def _proceed(self, now: float) -> list[Effect]:
        effects: list[Effect] = []
        run = self._run()
        if run:
            effects.append(Deliver(self.position, run[-1].seq, run))
            self._advance(run[-1].seq)
        if self.known <= self.position:
            self._hole_since = None
        elif self._hole_since is None or run:
            self._hole_since = now
        if self._fetching is None and self._overdue > self.position:
            self._fetching = Fetch(self.position, self._fetch_to())
            effects.append(self._fetching)
        return effects

    def _run(self) -> list[Frame]:
        run: list[Frame] = []
        while (frame := self._held.get(self.position + len(run) + 1)) is not None:
            run.append(frame)
        return run

    def _advance(self, to: int) -> None:
        self.position = to
        self.known = max(self.known, to)
        self._held = {seq: frame for seq, frame in self._held.items() if seq > to}

    def _fetch_to(self) -> int:
        before_held = min(self._held, default=self._overdue + 1) - 1
        return min(before_held, self._overdue, self.position + FETCH_MAX)
