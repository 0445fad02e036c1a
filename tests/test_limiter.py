"""What is counted under a key is counted once, whoever counts: in a process, and in Redis.

Naive forms that would fail: read, compare and write back (the throttles of DRF); look first and
count afterwards, when it is known what came of it; wait for Redis however long it takes.
"""

import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import redis

from api import limiter as module
from api.limiter import LocalLimiter, RedisLimiter, SharedLimiter, network
from api.limits import Backoff, Rate
from tests.backends import Valkey, free_port
from tests.clients import at_once

SLOW = Rate(per_second=1 / 60, burst=20)  # nothing comes back while a test runs
Limiter = LocalLimiter | RedisLimiter | SharedLimiter


@pytest.fixture
def suffering(tmp_path: Path) -> Iterator[Valkey]:
    """A Valkey server of this test's own."""
    found = Valkey(tmp_path)
    try:
        yield found
    finally:
        found.process.send_signal(signal.SIGCONT)
        found.stop()


@pytest.fixture(params=["own", "redis", "shared", "dead"])
def limiter(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Limiter:
    """Every form, also the one whose Redis is not there."""
    monkeypatch.setattr(module, "DEADLINE_SECONDS", 30.0)  # of a machine that has much to do
    monkeypatch.setattr(module, "CONNECT_SECONDS", 30.0)
    prefix = f"test-{time.monotonic_ns()}"
    if request.param == "own":
        return LocalLimiter()
    if request.param == "dead":
        nowhere = RedisLimiter(f"redis://127.0.0.1:{free_port()}/0", prefix)
        return SharedLimiter(nowhere, LocalLimiter())
    shared = RedisLimiter(request.getfixturevalue("valkey").url, prefix)
    return shared if request.param == "redis" else SharedLimiter(shared, LocalLimiter())


def waits(limiter: Limiter, key: str, times: int, backoff: Backoff) -> list[float]:
    """Attempt so often, at once; return what is to be waited."""
    return at_once(*[lambda: limiter.attempt(key, backoff)] * times)


# --- rates ----------------------------------------------------------------------------------


def test_of_two_hundred_at_once_as_many_pass_as_may(limiter: Limiter) -> None:
    verdicts = at_once(*[lambda: limiter.take("many", SLOW)] * 200)
    passed = [verdict for verdict in verdicts if verdict.wait == 0.0]
    assert sorted(verdict.left for verdict in passed) == list(range(20))
    assert all(50 < verdict.wait <= 60 for verdict in verdicts if verdict not in passed)


def test_a_slot_beyond_the_burst_means_that_all_is_used_and_one_far_beyond_nothing(
    limiter: Limiter,
) -> None:
    fast = Rate(per_second=1.0, burst=2)
    limiter.take("near", Rate(per_second=1 / 30, burst=1))
    assert 0.9 < limiter.take("near", fast).wait <= 1.0
    limiter.take("far", Rate(per_second=1 / 3600, burst=1))
    assert limiter.take("far", fast).wait == 0.0


def test_one_key_is_not_the_other(limiter: Limiter) -> None:
    assert [limiter.take("one", SLOW).left for _ in range(3)] == [19, 18, 17]
    assert limiter.take("other", SLOW).left == 19


def test_what_is_told_is_how_long_to_wait_and_when_all_may_come_again(limiter: Limiter) -> None:
    rate = Rate(per_second=0.1, burst=2)
    limiter.take("told", rate)
    second, third = limiter.take("told", rate), limiter.take("told", rate)
    assert (second.wait, second.left) == (0.0, 0)
    assert 19 < second.full_in <= 20
    assert (third.left, 9 < third.wait <= 10, 19 < third.full_in <= 20) == (0, True, True)


def test_whoever_waits_as_long_as_is_told_passes(limiter: Limiter) -> None:
    rate = Rate(per_second=1, burst=1)
    limiter.take("waits", rate)
    time.sleep(limiter.take("waits", rate).wait)
    assert limiter.take("waits", rate).wait == 0.0


def test_what_is_given_back_may_be_taken_again_and_no_more(limiter: Limiter) -> None:
    for _ in range(20):
        limiter.take("back", SLOW)
    assert limiter.take("back", SLOW).wait > 0
    for _ in range(3):
        limiter.take("back", SLOW, -1)
    passed = [limiter.take("back", SLOW).wait == 0.0 for _ in range(4)]
    assert passed == [True, True, True, False]
    limiter.take("never taken", SLOW, -1)
    assert limiter.take("never taken", SLOW).left == 19


def test_two_that_come_first_count_together(monkeypatch: pytest.MonkeyPatch) -> None:
    """Against ``@cache`` alone, which lets each of them make a limiter, and lose one."""

    def slowly() -> LocalLimiter:
        time.sleep(0.1)
        return LocalLimiter()

    monkeypatch.setattr(module, "LocalLimiter", slowly)
    module._made.cache_clear()
    try:
        found = at_once(*[module.limiter] * 10)
    finally:
        module._made.cache_clear()
    assert len(set(map(id, found))) == 1


# --- attempts -------------------------------------------------------------------------------


def test_of_a_hundred_attempts_at_once_five_are_made(limiter: Limiter) -> None:
    found = waits(limiter, "guesses", 100, Backoff(5, first=60))
    assert found.count(0.0) == 5
    assert all(50 < wait <= 60 for wait in found if wait)


def test_pauses_double_up_to_the_longest(limiter: Limiter) -> None:
    backoff = Backoff(2, first=1.0, longest=2.5)
    assert limiter.attempt("pauses", backoff) == 0.0
    for pause in (1.0, 2.0, 2.5, 2.5):
        began = time.monotonic()
        assert limiter.attempt("pauses", backoff) == 0.0
        wait = limiter.attempt("pauses", backoff)
        assert pause - (time.monotonic() - began) <= wait + 0.001
        assert 0.0 < wait <= pause
        time.sleep(wait)


def test_what_is_forgiven_counts_no_more(limiter: Limiter) -> None:
    backoff = Backoff(3, first=60)
    for _ in range(2):
        assert waits(limiter, "forgiven", 10, backoff).count(0.0) == 3
        limiter.forgive("forgiven")
    limiter.forgive("never tried")


def test_what_is_retracted_was_no_attempt(limiter: Limiter) -> None:
    backoff = Backoff(3, first=60)
    for _ in range(3):
        assert limiter.attempt("retracted", backoff) == 0.0
    assert limiter.attempt("retracted", backoff) > 50
    limiter.retract("retracted", backoff)
    assert waits(limiter, "retracted", 10, backoff).count(0.0) == 1
    limiter.retract("never tried", backoff)
    assert waits(limiter, "never tried", 10, backoff).count(0.0) == 3


def test_what_is_retracted_leaves_the_pause_of_what_is_left(limiter: Limiter) -> None:
    backoff = Backoff(1, first=60)
    assert limiter.attempt("left", backoff) == 0.0
    limiter.retract("left", backoff)
    assert limiter.attempt("left", backoff) == 0.0
    assert 50 < limiter.attempt("left", backoff) <= 60


def test_attempts_are_forgotten_in_the_end(limiter: Limiter) -> None:
    backoff = Backoff(2, first=60.0, longest=60.0, forget=1.0)
    assert waits(limiter, "old", 10, backoff).count(0.0) == 2
    time.sleep(1.1)
    assert waits(limiter, "old", 10, backoff).count(0.0) == 2


# --- bounds and breaks ----------------------------------------------------------------------


def test_a_process_keeps_a_bounded_number_and_forgets_what_is_oldest() -> None:
    limiter = LocalLimiter(keys_max=10)
    for number in range(1_000):
        limiter.take(f"key {number}", SLOW)
        assert len(limiter._kept) <= 10
    assert limiter.take("key 999", SLOW).left == 18


def test_redis_keeps_nothing_longer_than_it_counts(valkey: Valkey) -> None:
    limiter = RedisLimiter(valkey.url, "brief")
    limiter.take("rate", Rate(per_second=100, burst=5))
    limiter.attempt("attempts", Backoff(5, forget=0.1))
    with redis.Redis.from_url(valkey.url) as client:
        end = time.monotonic() + 5
        while client.keys("brief:*") and time.monotonic() < end:
            time.sleep(0.02)
        assert client.keys("brief:*") == []


@pytest.mark.parametrize("how", ["killed", "frozen"])
def test_a_redis_that_goes_holds_nobody_up_and_is_used_again(
    suffering: Valkey, how: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "BREAK_SECONDS", 0.5)
    monkeypatch.setattr(module, "DEADLINE_SECONDS", 1.0)
    limiter = SharedLimiter(RedisLimiter(suffering.url, "p"), LocalLimiter())
    neighbour = SharedLimiter(RedisLimiter(suffering.url, "p"), LocalLimiter())
    assert [limiter.take("key", SLOW).left, neighbour.take("key", SLOW).left] == [19, 18]
    if how == "killed":
        suffering.stop()
    else:
        suffering.process.send_signal(signal.SIGSTOP)
    found = at_once(*[lambda: limiter.take("key", SLOW)] * 200)
    assert [verdict.wait for verdict in found].count(0.0) == 20
    if how == "killed":
        suffering.start()
    else:
        suffering.process.send_signal(signal.SIGCONT)
    _wait_for(lambda: neighbour.take("other", SLOW).left != limiter.take("other", SLOW).left)
    assert {limiter.take("new", SLOW).left, neighbour.take("new", SLOW).left} == {19, 18}


def _wait_for(happens: Callable[[], Any]) -> None:
    end = time.monotonic() + 60
    while not happens():
        assert time.monotonic() < end
        time.sleep(0.1)


@pytest.mark.parametrize(
    ("address", "counted"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::"),
        ("2001:db8:1:2:ffff::1", "2001:db8:1:2::"),
        ("2001:db8:1:3::1", "2001:db8:1:3::"),
        ("", ""),
        ("unix:", "unix:"),
    ],
)
def test_an_address_of_ipv6_counts_as_its_network(address: str, counted: str) -> None:
    assert network(address) == counted
