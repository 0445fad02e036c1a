"""What reaches across requests, sockets and processes: counted under a key, atomically.

In Redis where there is one, else in this process. A Redis that is slow or away is left alone
for a moment; meanwhile each process counts for itself. Called from threads, never from the
loop.
"""

import ipaddress
import logging
import threading
import time
from collections.abc import Callable
from functools import cache
from typing import Any, NamedTuple, Protocol, TypeVar

import redis
from django.conf import settings
from redis.backoff import NoBackoff
from redis.retry import Retry

from api.limits import CLOCKS_APART, Backoff, Rate, Verdict

DEADLINE_SECONDS = 0.1  # for Redis to answer: a limit is not worth more
CONNECT_SECONDS = 0.25  # for Redis to be reached, TLS included
BREAK_SECONDS = 2.0  # how long a Redis that failed is left alone
KEYS_MAX = 100_000  # kept in a process; about 20 MB
NETWORK_BITS = 64  # of an IPv6 address: one customer has at least so many addresses

Answer = TypeVar("Answer")
Clock = Callable[[], float]

log = logging.getLogger(__name__)


class Limiter(Protocol):
    """Counts; each call is one step that no other comes between."""

    def take(self, key: str, rate: Rate, count: int = 1) -> Verdict:
        """Count ``count`` more if they may pass; a negative count gives back."""

    def attempt(self, key: str, backoff: Backoff) -> float:
        """Count one more attempt and return 0.0, or return the seconds until there may be one."""

    def retract(self, key: str, backoff: Backoff) -> None:
        """Count one attempt less: nothing came of it, neither right nor wrong."""

    def forgive(self, key: str) -> None:
        """Forget all attempts."""


class _Kept(NamedTuple):
    until: float  # after that it is as if nothing were kept
    moment: float  # a slot, or when the next attempt may come
    attempts: int = 0


class LocalLimiter:
    """In this process; when too much is kept, what was counted longest ago goes."""

    def __init__(self, *, clock: Clock = time.monotonic, keys_max: int = KEYS_MAX) -> None:
        self._clock, self._keys_max = clock, keys_max
        self._lock = threading.Lock()
        self._kept: dict[str, _Kept] = {}

    def take(self, key: str, rate: Rate, count: int = 1) -> Verdict:
        with self._lock:
            now = self._clock()
            kept = self._kept.get(key)
            verdict = rate.judge(kept.moment if kept else now, now, count)
            if verdict.wait == 0.0:
                self._keep(key, _Kept(now + verdict.full_in, now + verdict.full_in))
            return verdict

    def attempt(self, key: str, backoff: Backoff) -> float:
        with self._lock:
            now = self._clock()
            kept = self._kept.get(key)
            if kept is None or kept.until <= now:
                kept = _Kept(now, now)
            if kept.moment > now:
                return kept.moment - now
            attempts = kept.attempts + 1
            self._keep(key, _Kept(now + backoff.forget, now + backoff.pause(attempts), attempts))
            return 0.0

    def retract(self, key: str, backoff: Backoff) -> None:
        with self._lock:
            kept = self._kept.get(key)
            if kept is not None:
                attempts = max(kept.attempts - 1, 0)
                moment = min(kept.moment, self._clock() + backoff.pause(attempts))
                self._kept[key] = _Kept(kept.until, moment, attempts)

    def forgive(self, key: str) -> None:
        with self._lock:
            self._kept.pop(key, None)

    def _keep(self, key: str, kept: _Kept) -> None:
        self._kept.pop(key, None)  # so that the order is that of the last counts
        self._kept[key] = kept
        if len(self._kept) > self._keys_max:
            now = self._clock()
            living = [item for item in self._kept.items() if item[1].until > now]
            self._kept = dict(living[-self._keys_max // 2 :])


# Times are microseconds of Redis's clock: processes need not agree on theirs.
_TAKE = """
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local step, room, count = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local slot = tonumber(redis.call('GET', KEYS[1])) or now
local used = math.max(slot - now, 0)
used = used - room > tonumber(ARGV[4]) and 0 or math.min(used, room)
local after = math.max(used + step * count, 0)
if after - room > 1000 then
  return {math.ceil(after - room), math.ceil(used)}
end
local kept = string.format('%.0f', now + after)
redis.call('SET', KEYS[1], kept, 'PX', math.ceil(after / 1000) + 1)
return {0, math.floor(after)}
"""
_KEPT = """
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local kept = redis.call('HMGET', KEYS[1], 'attempts', 'moment')
local attempts, moment = tonumber(kept[1]) or 0, tonumber(kept[2]) or now
local function after_pause()
  local doublings = attempts - tonumber(ARGV[1])
  if doublings < 0 then return now end
  return now + math.min(tonumber(ARGV[2]) * 2 ^ math.min(doublings, 64), tonumber(ARGV[3]))
end
local function keep()
  redis.call('HSET', KEYS[1], 'attempts', attempts, 'moment', string.format('%.0f', moment))
end
"""
_ATTEMPT = (
    _KEPT
    + """
if moment > now then
  return math.ceil(moment - now)
end
attempts = attempts + 1
moment = after_pause()
keep()
redis.call('PEXPIRE', KEYS[1], ARGV[4])
return 0
"""
)
_RETRACT = (
    _KEPT
    + """
if attempts > 0 then
  attempts = attempts - 1
  moment = math.min(moment, after_pause())
  keep()
end
"""
)
_MICROSECONDS = 1_000_000


class RedisLimiter:
    """In Redis, by scripts. Raises ``redis.RedisError`` when it does not answer in time."""

    def __init__(self, url: str, prefix: str) -> None:
        client: Any = redis.Redis.from_url(
            url,
            socket_timeout=DEADLINE_SECONDS,
            socket_connect_timeout=CONNECT_SECONDS,
            retry=Retry(NoBackoff(), 0),
            protocol=2,  # what RESP3 adds is said anew on each connection
        )
        self._client, self._prefix = client, f"{prefix}:limit:"
        self._take, self._attempt = client.register_script(_TAKE), client.register_script(_ATTEMPT)
        self._retract = client.register_script(_RETRACT)

    def take(self, key: str, rate: Rate, count: int = 1) -> Verdict:
        step = _MICROSECONDS / rate.per_second
        apart = CLOCKS_APART * _MICROSECONDS
        wait, used = self._take([self._prefix + key], [step, step * rate.burst, count, apart])
        left = rate.judge(used / _MICROSECONDS, 0.0, 0).left
        return Verdict(wait / _MICROSECONDS, left, used / _MICROSECONDS)

    def attempt(self, key: str, backoff: Backoff) -> float:
        return float(self._attempt([self._prefix + key], _arguments(backoff))) / _MICROSECONDS

    def retract(self, key: str, backoff: Backoff) -> None:
        self._retract([self._prefix + key], _arguments(backoff))

    def forgive(self, key: str) -> None:
        self._client.delete(self._prefix + key)


def _arguments(backoff: Backoff) -> list[float]:
    first, longest = backoff.first * _MICROSECONDS, backoff.longest * _MICROSECONDS
    return [backoff.free, first, longest, round(backoff.forget * 1000)]


class SharedLimiter:
    """Asks ``shared``; while that does not answer, ``own``."""

    def __init__(self, shared: Limiter, own: Limiter, *, clock: Clock = time.monotonic) -> None:
        self._shared, self._own, self._clock = shared, own, clock
        self._broken_until = 0.0

    def take(self, key: str, rate: Rate, count: int = 1) -> Verdict:
        return self._ask(lambda limiter: limiter.take(key, rate, count))

    def attempt(self, key: str, backoff: Backoff) -> float:
        return self._ask(lambda limiter: limiter.attempt(key, backoff))

    def retract(self, key: str, backoff: Backoff) -> None:
        self._ask(lambda limiter: limiter.retract(key, backoff))

    def forgive(self, key: str) -> None:
        self._ask(lambda limiter: limiter.forgive(key))

    def _ask(self, question: Callable[[Limiter], Answer]) -> Answer:
        if self._broken_until:
            if self._clock() < self._broken_until:
                return question(self._own)
            self._broken_until = self._clock() + BREAK_SECONDS  # one tries, the others do not wait
        try:
            answer = question(self._shared)
        except redis.RedisError as error:
            self._broken_until = self._clock() + BREAK_SECONDS
            log.warning("Redis does not count: %s", type(error).__name__)
            return question(self._own)
        self._broken_until = 0.0
        return answer


_making = threading.Lock()


def limiter() -> Limiter:
    """Return the limiter of this process."""
    with _making:  # two that come first would each count for themselves
        return _made()


@cache
def _made() -> Limiter:
    url = settings.ENV.redis_url
    if url is None:
        return LocalLimiter()
    return SharedLimiter(RedisLimiter(url, settings.ENV.redis_prefix), LocalLimiter())


def network(address: str) -> str:
    """Return what addresses are counted by: an IPv6 address stands for its network."""
    try:
        found = ipaddress.ip_address(address)
    except ValueError:  # a Unix socket has none
        return address
    if found.version == 4:
        return str(found)
    if found.ipv4_mapped is not None:
        return str(found.ipv4_mapped)
    return str(ipaddress.ip_network((found.packed, NETWORK_BITS), strict=False).network_address)
