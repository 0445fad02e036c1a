"""The limits under their names, and what counts against them without a clock."""

import json
import re

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.limits import TOLERANCE, Backoff, Limits, Rate, Strikes, TokenBucket

CONTRACT = {
    "frame_bytes": 128 * 1024,
    "body_bytes": 128 * 1024,
    "text_characters": 10_000,
    "commands_per_second": 20,
    "commands_burst": 60,
    "subscriptions": 500,
    "sockets": 20,
    "queue_bytes": 1024 * 1024,
    "socket_age": 12 * 3600,
    "sends_per_second": 5,
    "sends_burst": 10,
    "requests_per_second": 20,
    "requests_burst": 60,
    "page": 200,
    "events_page": 1_000,
    "upload_bytes": 10 * 1024 * 1024,
    "login_failures": 5,
}
OURS = {
    "login_failures_per_minute": 10,
    "login_failures_burst": 50,
    "registrations_per_hour": 100,
    "registrations_burst": 50,
    "invalid_per_second": 10,
    "invalid_burst": 200,
}
NEVER_OFF = ("page", "events_page", "access_token_seconds", "socket_token_seconds")
ALL = msgspec.to_builtins(Limits())
GENEROUS = 1e-6  # what sums of floats may be off by


def read(**limits: object) -> Limits:
    """Read limits as the environment gives them."""
    return msgspec.json.decode(json.dumps(limits), type=Limits)


def test_the_limits_have_the_names_and_defaults_of_the_contract() -> None:
    assert {name: ALL[name] for name in CONTRACT | OURS} == CONTRACT | OURS
    lifetimes = {
        "access_token_seconds": 300,
        "refresh_token_seconds": 30 * 86_400,
        "socket_token_seconds": 30,
        "session_seconds": 90 * 86_400,
        "heartbeat_seconds": 25,
        "pong_seconds": 20,
        "authenticate_seconds": 10,
        "slow_reader_seconds": 5,
        "slow_answer_seconds": 30,
    }
    assert {name: ALL[name] for name in lifetimes} == lifetimes


@pytest.mark.parametrize("name", sorted(ALL))
def test_each_limit_can_be_set(name: str) -> None:
    assert msgspec.to_builtins(read(**{name: 7})) == ALL | {name: 7}


@pytest.mark.parametrize("name", sorted(ALL))
@pytest.mark.parametrize("value", [0, -1, "7", True, [], 1e300])
def test_a_limit_is_a_number_above_zero_that_can_be_meant(name: str, value: object) -> None:
    with pytest.raises(msgspec.ValidationError, match=name):
        read(**{name: value})


@pytest.mark.parametrize("name", sorted((CONTRACT | OURS).keys() - set(NEVER_OFF)))
def test_a_limit_can_be_switched_off(name: str) -> None:
    assert getattr(read(**{name: None}), name) is None


@pytest.mark.parametrize("name", NEVER_OFF)
def test_what_needs_an_end_cannot_be_switched_off(name: str) -> None:
    with pytest.raises(msgspec.ValidationError, match=name):
        read(**{name: None})


def test_a_limit_that_there_is_not_is_refused() -> None:
    with pytest.raises(msgspec.ValidationError, match="frames"):
        read(frames=1)


# --- a bucket -------------------------------------------------------------------------------


def test_a_burst_passes_at_once_then_the_wait_is_told() -> None:
    bucket = TokenBucket(rate=2, burst=3, now=10)
    assert [bucket.take(10) for _ in range(4)] == [0.0, 0.0, 0.0, 0.5]
    assert bucket.take(10.25) == 0.25
    assert bucket.take(10.5) == 0.0
    assert bucket.take(10.5) == 0.5


def test_a_bucket_never_holds_more_than_its_burst() -> None:
    bucket = TokenBucket(rate=2, burst=3, now=0)
    assert [bucket.take(1_000_000) for _ in range(4)] == [0.0, 0.0, 0.0, 0.5]


@given(
    rate=st.integers(1, 50),
    burst=st.integers(1, 50),
    pauses=st.lists(st.floats(0, 2), min_size=1, max_size=100),
)
def test_no_more_passes_than_burst_and_rate_allow_in_any_span(
    rate: int, burst: int, pauses: list[float]
) -> None:
    bucket, now = TokenBucket(rate=rate, burst=burst, now=0), 0.0
    passed: list[float] = []
    for pause in pauses:
        now += pause
        wait = bucket.take(now)
        assert 0 <= wait <= 1 / rate
        if wait == 0.0:
            passed.append(now)
    for first, start in enumerate(passed):
        for last, end in enumerate(passed[first:], start=1):
            assert last <= burst + (end - start) * rate + GENEROUS


@given(
    rate=st.integers(1, 50),
    burst=st.integers(1, 50),
    pauses=st.lists(st.floats(0, 0.2), min_size=1, max_size=100),
)
def test_whoever_waits_as_long_as_is_told_passes(
    rate: int, burst: int, pauses: list[float]
) -> None:
    bucket, now = TokenBucket(rate=rate, burst=burst, now=0), 0.0
    for pause in pauses:
        now += pause
        wait = bucket.take(now)
        if wait > 0.0:
            now += wait + GENEROUS
            assert bucket.take(now) == 0.0


# --- a rate of which one time is kept -------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "per_second", "burst"),
    [
        ("sends", 5.0, 10),
        ("requests", 20.0, 60),
        ("address_failures", 10 / 60, 50),
        ("registrations", 100 / 3600, 50),
        ("invalid", 10.0, 200),
    ],
)
def test_rates_are_made_of_two_limits_each_of_which_switches_them_off(
    name: str, per_second: float, burst: int
) -> None:
    assert getattr(Limits(), name) == Rate(per_second, burst)
    word = {"address_failures": "login_failures"}.get(name, name)
    for one in [limit for limit in ALL if re.fullmatch(f"{word}_(per_.*|burst)", limit)]:
        assert getattr(read(**{one: None}), name) is None


def test_the_slot_moves_on_by_one_step_for_each_that_passes() -> None:
    rate = Rate(per_second=2, burst=3)
    assert rate.judge(10, now=10) == (0.0, 2, 0.5)
    assert rate.judge(10.5, now=10) == (0.0, 1, 1.0)
    assert rate.judge(11, now=10) == (0.0, 0, 1.5)
    assert rate.judge(11.5, now=10) == (0.5, 0, 1.5)
    assert rate.judge(11.5, now=10.5) == (0.0, 0, 1.5)
    assert rate.judge(3, now=10) == (0.0, 2, 0.5), "what is past counts for nothing"
    assert rate.judge(11, now=10, count=-1) == (0.0, 2, 0.5)
    assert rate.judge(10, now=10, count=-1) == (0.0, 3, 0.0)


def test_a_slot_of_one_who_came_later_and_was_faster_means_that_all_is_used() -> None:
    rate = Rate(per_second=2, burst=3)
    assert rate.judge(11.502, now=10) == (0.5, 0, 1.5)
    assert rate.judge(60, now=10) == (0.5, 0, 1.5)


def test_a_slot_written_by_a_clock_that_is_wrong_lets_nobody_wait_for_the_difference() -> None:
    rate = Rate(per_second=2, burst=3)
    assert rate.judge(1_000_000, now=10) == (0.0, 2, 0.5)
    slot, passed = 1_000_000.0, 0
    for moment in range(10, 20):
        verdict = rate.judge(slot, now=moment)
        passed += verdict.wait == 0.0
        slot = moment + verdict.full_in
    assert passed == 10


@given(
    rate=st.integers(1, 50),
    burst=st.integers(1, 50),
    pauses=st.lists(st.floats(0, 2), min_size=1, max_size=100),
)
def test_a_rate_judges_as_a_bucket_does(rate: int, burst: int, pauses: list[float]) -> None:
    bucket, slot, now = TokenBucket(rate=rate, burst=burst, now=0), 0.0, 0.0
    for pause in pauses:
        now += pause
        verdict, wait = Rate(rate, burst).judge(slot, now), bucket.take(now)
        if verdict.wait == 0.0:
            assert wait <= TOLERANCE + GENEROUS
            slot = now + verdict.full_in
        else:
            assert verdict.wait == pytest.approx(wait, abs=TOLERANCE)
        if (wait == 0.0) != (verdict.wait == 0.0):  # they differ by less than counts
            return


def test_pauses_begin_after_the_free_attempts_and_double_up_to_the_longest() -> None:
    backoff = Backoff(5)
    pauses = [backoff.pause(attempts) for attempts in range(1, 17)]
    assert pauses == [0.0] * 4 + [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 900, 900]
    assert backoff.pause(10**9) == 900


# --- strikes --------------------------------------------------------------------------------


def test_the_last_of_so_many_within_the_window_is_one_too_many() -> None:
    strikes = Strikes(3, window=60)
    assert [strikes.strike(now) for now in (0, 30, 59.9)] == [False, False, True]


def test_what_is_older_than_the_window_counts_no_more() -> None:
    strikes = Strikes(3, window=60)
    assert [strikes.strike(now) for now in (0, 30, 60, 89, 90.5)] == [
        False,
        False,
        False,
        True,
        True,
    ]
    assert [strikes.strike(now) for now in (300, 301, 302)] == [False, False, True]


@given(pauses=st.lists(st.integers(0, 30), max_size=60), limit=st.integers(1, 10))
def test_strikes_count_what_lies_within_the_window(pauses: list[int], limit: int) -> None:
    strikes, times = Strikes(limit, window=60), [0]
    assert strikes.strike(0) is (limit == 1)
    for pause in pauses:
        now = times[-1] + pause
        times.append(now)
        recent = [moment for moment in times if now - moment < 60]
        assert strikes.strike(now) is (len(recent) >= limit)
