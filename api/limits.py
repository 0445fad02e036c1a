"""The limits of the service, under the names that clients read them by, and a bucket.

``LIMITS`` in the environment overrides any of them; ``null`` switches a limit off.
"""

from typing import Annotated

import msgspec

Count = Annotated[int, msgspec.Meta(ge=1, le=2**31 - 1)] | None
Lifetime = Annotated[float, msgspec.Meta(gt=0, le=10 * 365 * 86_400)]  # seconds
Seconds = Lifetime | None
Page = Annotated[int, msgspec.Meta(ge=1, le=10_000)]


class Limits(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Contract §4: counts, bytes, and durations in seconds."""

    frame_bytes: Count = 128 * 1024
    body_bytes: Count = 128 * 1024
    text_characters: Count = 10_000
    commands_per_second: Count = 20
    commands_burst: Count = 60
    subscriptions: Count = 500
    sockets: Count = 20
    queue_bytes: Count = 1024 * 1024
    socket_age: Seconds = 12 * 3600
    sends_per_second: Count = 5
    sends_burst: Count = 10
    requests_per_second: Count = 20
    requests_burst: Count = 60
    page: Page = 200
    events_page: Page = 1_000
    upload_bytes: Count = 10 * 1024 * 1024
    authenticate_seconds: Seconds = 10
    heartbeat_seconds: Seconds = 25
    pong_seconds: Seconds = 20
    slow_reader_seconds: Seconds = 5
    drain_seconds: Seconds = 10
    access_token_seconds: Lifetime = 5 * 60
    socket_token_seconds: Lifetime = 30
    refresh_token_seconds: Lifetime = 30 * 86_400
    session_seconds: Seconds = 90 * 86_400


class TokenBucket:
    """Let ``burst`` through at once and ``rate`` a second in the long run; no clock."""

    __slots__ = ("_burst", "_rate", "_stamp", "_tokens")

    def __init__(self, *, rate: float, burst: float, now: float) -> None:
        self._rate, self._burst = rate, burst
        self._tokens, self._stamp = burst, now

    def take(self, now: float) -> float:
        """Return 0.0 when this one may pass, else the seconds until one may."""
        grown = self._tokens + (now - self._stamp) * self._rate
        self._tokens, self._stamp = min(self._burst, grown), now
        if self._tokens >= 1:
            self._tokens -= 1
            return 0.0
        return (1 - self._tokens) / self._rate


class Strikes:
    """Count what happened within the last ``window`` seconds; no clock."""

    __slots__ = ("_limit", "_times", "_window")

    def __init__(self, limit: int, window: float) -> None:
        self._limit, self._window = limit, window
        self._times: list[float] = []  # empty for almost every socket: no room reserved

    def strike(self, now: float) -> bool:
        """Count one more; tell whether that was one too many."""
        self._times = [time for time in self._times if now - time < self._window]
        self._times.append(now)
        return len(self._times) >= self._limit
