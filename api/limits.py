"""The limits of the service, under the names that clients read them by, and how rates are kept.

``LIMITS`` in the environment overrides any of them; ``null`` switches a limit off.
"""

import math
from typing import Annotated, NamedTuple

import msgspec

_Many = Annotated[int, msgspec.Meta(ge=1, le=2**31 - 1)]
Count = _Many | None
Frequency = _Many | Annotated[float, msgspec.Meta(ge=0.001, le=2**31 - 1)] | None
Lifetime = Annotated[float, msgspec.Meta(gt=0, le=10 * 365 * 86_400)]  # seconds
Seconds = Lifetime | None
Page = Annotated[int, msgspec.Meta(ge=1, le=10_000)]

MINUTE, HOUR = 60, 3600  # seconds
TOLERANCE = 1e-3  # seconds that sums of rounded times may be off by
CLOCKS_APART = 1.0 * MINUTE  # processes whose clocks differ by more write slots that are nonsense


class Verdict(NamedTuple):
    """Whether one may pass: ``wait`` is 0.0, else the seconds until one may.

    ``left`` more may follow at once; in ``full_in`` seconds the whole burst may.
    """

    wait: float
    left: int
    full_in: float


class Rate(NamedTuple):
    """Let ``burst`` through at once and ``per_second`` in the long run.

    All that is kept of it is one time, its slot: when the whole burst may come again (the
    generic cell rate algorithm, ITU-T I.371).
    """

    per_second: float
    burst: int

    def judge(self, slot: float, now: float, count: int = 1) -> Verdict:
        """Judge ``count`` more; when they pass, the slot becomes ``now + full_in``.

        A slot further off than the burst was written by one who was later here, and means
        that all is used; one much further off, under another clock, and counts as none:
        nobody waits for the difference. A negative count gives back.
        """
        room = self.burst / self.per_second
        used = max(slot - now, 0.0)
        used = 0.0 if used - room > CLOCKS_APART else min(used, room)
        after = max(used + count / self.per_second, 0.0)
        if after - room > TOLERANCE:
            return Verdict(after - room, self._left(room - used), used)
        return Verdict(0.0, self._left(room - after), after)

    def _left(self, seconds: float) -> int:
        return max(math.floor((seconds + TOLERANCE) * self.per_second), 0)


class Backoff(NamedTuple):
    """Let ``free`` attempts through, then one after each pause; times in seconds."""

    free: int
    first: float = 1.0
    longest: float = 15.0 * MINUTE
    forget: float = 24.0 * HOUR  # after the last attempt

    def pause(self, attempts: int) -> float:
        """Return how long nobody may try after so many attempts."""
        doublings = attempts - self.free
        return 0.0 if doublings < 0 else min(self.first * 2.0 ** min(doublings, 64), self.longest)


class Limits(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Contract §4: counts, bytes, and durations in seconds."""

    frame_bytes: Count = 128 * 1024
    body_bytes: Count = 128 * 1024
    text_characters: Count = 10_000
    commands_per_second: Frequency = 20
    commands_burst: Count = 60
    subscriptions: Count = 500
    sockets: Count = 20
    queue_bytes: Count = 1024 * 1024
    socket_age: Seconds = 12 * 3600
    sends_per_second: Frequency = 5
    sends_burst: Count = 10
    requests_per_second: Frequency = 20
    requests_burst: Count = 60
    login_failures: Count = 5
    login_failures_per_minute: Frequency = 10
    login_failures_burst: Count = 50
    registrations_per_hour: Frequency = 100
    registrations_burst: Count = 50
    exports_per_hour: Count = 1
    invalid_per_second: Frequency = 10
    invalid_burst: Count = 200
    page: Page = 200
    events_page: Page = 1_000
    upload_bytes: Count = 10 * 1024 * 1024
    uploads_per_hour: Count = 300
    uploads_burst: Count = 60
    upload_volume_per_hour: Count = 1024 * 1024 * 1024
    upload_volume_burst: Count = 200 * 1024 * 1024
    downloads_per_second: Count = 50
    downloads_burst: Count = 500
    authenticate_seconds: Seconds = 10
    heartbeat_seconds: Seconds = 25
    pong_seconds: Seconds = 20
    slow_reader_seconds: Seconds = 5
    slow_answer_seconds: Seconds = 30
    drain_seconds: Seconds = 10
    access_token_seconds: Lifetime = 5 * 60
    socket_token_seconds: Lifetime = 30
    download_token_seconds: Lifetime = 3600
    refresh_token_seconds: Lifetime = 30 * 86_400
    session_seconds: Seconds = 90 * 86_400

    @property
    def sends(self) -> Rate | None:
        """Messages of one sender in one room."""
        return _rate(self.sends_per_second, self.sends_burst)

    @property
    def requests(self) -> Rate | None:
        """REST requests of one user."""
        return _rate(self.requests_per_second, self.requests_burst)

    @property
    def uploads(self) -> Rate | None:
        """Files that one user sends."""
        return _rate(self.uploads_per_hour, self.uploads_burst, HOUR)

    @property
    def upload_volume(self) -> Rate | None:
        """Their bytes."""
        return _rate(self.upload_volume_per_hour, self.upload_volume_burst, HOUR)

    @property
    def downloads(self) -> Rate | None:
        """Files that one user is given."""
        return _rate(self.downloads_per_second, self.downloads_burst)

    @property
    def address_failures(self) -> Rate | None:
        """Failures to sign in from one address, to whichever accounts."""
        return _rate(self.login_failures_per_minute, self.login_failures_burst, MINUTE)

    @property
    def registrations(self) -> Rate | None:
        """Accounts that are made from one address."""
        return _rate(self.registrations_per_hour, self.registrations_burst, HOUR)

    @property
    def exports(self) -> Rate | None:
        """Exports of all that is recorded about one user."""
        return _rate(self.exports_per_hour, self.exports_per_hour, HOUR)

    @property
    def invalid(self) -> Rate | None:
        """Requests from one address that are no requests, or nobody's."""
        return _rate(self.invalid_per_second, self.invalid_burst)


def _rate(count: float | None, burst: int | None, seconds: float = 1.0) -> Rate | None:
    return None if count is None or burst is None else Rate(count / seconds, burst)


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
