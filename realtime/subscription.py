"""Replay, then live, for one subscriber of one stream. Pure.

A subscription is a position and whether it is live. It holds no frames: while it replays,
live ones pass it by, because the log has them. After every page it compares its position
with the feed's: once it has reached it, it joins, and from then on each delivery of the
feed begins at, or below, its own position. A subscriber that cannot keep up falls behind:
it simply replays again.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from msgspec.structs import replace

from api.log.frames import Frame

PUSHED_MAX = 5_000  # events that one subscribe may push; streams beyond get a gap


class Subscription:
    """Where one subscriber is in one stream.

    ``granted`` is the head that the permission was read at: what ended earlier has been
    given again since, and ends nothing now.
    ``ephemeral``: whether it is also told who is here, and who is typing.
    """

    __slots__ = ("ephemeral", "granted", "live", "position", "stream")

    def __init__(
        self, stream: str, position: int, granted: int, *, ephemeral: bool = False
    ) -> None:
        self.stream = stream
        self.position = position
        self.granted = granted
        self.ephemeral = ephemeral
        self.live = False

    def join(self, feed_position: int) -> bool:
        """Go live if nothing is missing below the feed; tell whether it is live."""
        if self.position >= feed_position:
            self.live = True
        return self.live

    def replayed(self, to: int) -> None:
        """Note that everything up to ``to`` has been replayed."""
        if self.live:
            raise RuntimeError("A live subscription does not replay.")
        self.position = max(self.position, to)

    def news_above(self, after: int, to: int) -> int | None:
        """Say above which number a delivery of (after, to] is news; ``position`` follows.

        None when it is no news at all, or when it is not for a live subscriber.
        """
        if not self.live or to <= self.position:
            return None
        if after > self.position:
            raise RuntimeError("A live subscription has no holes.")
        return self.position

    def visible(self, frames: Sequence[Frame], user_id: str) -> Sequence[Frame]:
        """Return the frames, without the text of those that are withheld from this person."""
        return [
            replace(frame, text=None)
            if frame.withheld and frame.withheld.get(user_id, 0) > self.granted
            else frame
            for frame in frames
        ]

    def fall_behind(self) -> None:
        """Stop being live: what comes now is replayed later."""
        self.live = False


@dataclass(frozen=True)
class Start:
    """Where a new subscription begins; ``gap`` are the numbers that it is not sent."""

    position: int
    gap: tuple[int, int] | None = None


def starts(wanted: Mapping[str, tuple[int | None, int]], limit: int) -> dict[str, Start]:
    """Say where each stream begins, given (since, head) by stream; since is ≤ head.

    More missed than ``limit`` is a gap. Of all together at most PUSHED_MAX events are
    pushed, the streams with the fewest first.
    """
    begins: dict[str, Start] = {}
    budget = PUSHED_MAX
    missed = {
        stream: 0 if since is None else head - since for stream, (since, head) in wanted.items()
    }
    for stream in sorted(missed, key=missed.__getitem__):
        since, head = wanted[stream]
        if since is None or missed[stream] == 0:
            begins[stream] = Start(head)
        elif missed[stream] > min(limit, budget):
            begins[stream] = Start(head, gap=(since + 1, head))
        else:
            budget -= missed[stream]
            begins[stream] = Start(since)
    return begins
