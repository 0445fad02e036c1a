"""How one client behaves: how fast it asks, and how often it asks badly. No clock."""

from api import metrics
from api.limits import Limits, Strikes, TokenBucket

BAD_FRAMES_MAX, RATE_LIMITED_MAX = 10, 60  # in a minute; contract §3.2 and §4
MINUTE = 60.0


class Conduct:
    """What one socket has asked so far; times are seconds of one clock."""

    __slots__ = ("_bad_frames", "_bucket", "_too_many")

    def __init__(self, limits: Limits, now: float) -> None:
        rate, burst = limits.commands_per_second, limits.commands_burst
        self._bucket: TokenBucket | None = None
        if rate is not None and burst is not None:
            self._bucket = TokenBucket(rate=rate, burst=burst, now=now)
        self._bad_frames = Strikes(BAD_FRAMES_MAX, MINUTE)
        self._too_many = Strikes(RATE_LIMITED_MAX, MINUTE)

    def wait(self, now: float) -> float:
        """Return 0.0 when another command may come, else the seconds until one may."""
        metrics.commands.inc()
        return self._bucket.take(now) if self._bucket else 0.0

    def turned_away(self, now: float) -> bool:
        """Note that a command came too soon; tell whether that was one too many."""
        return self._too_many.strike(now)

    def bad_frame(self, now: float) -> bool:
        """Note a bad frame; tell whether that was one too many."""
        return self._bad_frames.strike(now)
