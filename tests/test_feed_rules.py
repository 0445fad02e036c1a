"""The rules of one feed, an example each: see the theory at the top of realtime/feed.py."""

from collections.abc import Callable, Sequence

import pytest

from api.log.frames import Frame
from realtime.feed import (
    FETCH_MAX,
    HELD_MAX,
    HOLE_WAITS_SECONDS,
    Deliver,
    Effect,
    Feed,
    Fetch,
)

SOON = HOLE_WAITS_SECONDS / 2


def event(seq: int) -> Frame:
    """Return an event as the channel layer carries it."""
    return Frame("a-stream", seq, f"event {seq}")


def pointer(seq: int) -> Frame:
    """Return what the channel layer carries of an event that only the log can show."""
    return Frame("a-stream", seq, None)


def asked(effects: Sequence[Effect], after: int, to: int) -> Fetch:
    """Return the question for (after, to] that these effects end with."""
    assert list(effects[-1:]) == [Fetch(after, to)]
    fetch = effects[-1]
    assert isinstance(fetch, Fetch)
    return fetch


# --- arrived --------------------------------------------------------------------------------


def test_the_next_frame_is_delivered_at_once() -> None:
    feed = Feed(5)
    assert feed.arrived(event(6), 0) == [Deliver(5, 6, [event(6)])]
    assert (feed.position, feed.due) == (6, None)


@pytest.mark.parametrize("seq", [1, 4, 5])
@pytest.mark.parametrize("frame", [event, pointer])
def test_what_is_at_or_below_the_position_is_a_double(
    seq: int, frame: Callable[[int], Frame]
) -> None:
    feed = Feed(5)
    assert feed.arrived(frame(seq), 0) == []
    assert (feed.position, feed.due) == (5, None)
    assert feed.arrived(pointer(7), 0) == [Fetch(5, 7)]


def test_a_later_frame_is_held_and_delivered_right_behind_the_one_before() -> None:
    feed = Feed(5)
    assert feed.arrived(event(8), 0) == []
    assert feed.arrived(event(7), 0) == []
    assert feed.arrived(event(7), 0) == []
    assert feed.arrived(event(6), 0) == [Deliver(5, 8, [event(6), event(7), event(8)])]
    assert feed.due is None


def test_what_is_held_is_bounded_and_the_rest_is_fetched() -> None:
    feed = Feed(0)
    for seq in range(2, HELD_MAX + 4):
        assert feed.arrived(event(seq), 0) == []
    (run,) = feed.arrived(event(1), SOON)
    assert isinstance(run, Deliver)
    assert (run.after, run.to, len(run.frames)) == (0, HELD_MAX + 1, HELD_MAX + 1)
    assert feed.tick(9) == [Fetch(HELD_MAX + 1, HELD_MAX + 3)]


# --- hole -----------------------------------------------------------------------------------


def test_a_hole_is_waited_for_then_fetched() -> None:
    feed = Feed(5)
    feed.arrived(event(8), 1)
    assert feed.due == 1 + HOLE_WAITS_SECONDS
    assert feed.tick(1 + SOON) == []
    fetch = asked(feed.tick(feed.due), 5, 7)
    answer = [event(6), event(7)]
    assert feed.fetched(fetch, answer, 2) == [Deliver(5, 7, answer), Deliver(7, 8, [event(8)])]


def test_a_frame_that_was_only_late_is_not_fetched() -> None:
    feed = Feed(5)
    feed.arrived(event(7), 0)
    feed.arrived(event(6), SOON)
    assert feed.due is None
    assert feed.tick(9) == []


def test_the_next_hole_has_its_own_time() -> None:
    feed = Feed(5)
    feed.arrived(event(7), 0)
    feed.arrived(event(9), 0)
    feed.arrived(event(6), SOON)
    assert (feed.position, feed.due) == (7, SOON + HOLE_WAITS_SECONDS)


def test_a_hole_that_opens_while_the_log_is_asked_has_its_own_time_too() -> None:
    feed = Feed(5)
    feed.head_seen(6, 0)
    fetch = asked(feed.tick(1), 5, 6)
    feed.head_seen(7, 1)
    feed.fetched(fetch, [event(6)], 2)
    assert feed.due == 2 + HOLE_WAITS_SECONDS


def test_frames_that_arrive_while_the_log_is_asked_are_held_as_before() -> None:
    feed = Feed(5)
    feed.arrived(event(7), 0)
    fetch = asked(feed.tick(1), 5, 6)
    assert feed.arrived(event(8), 1) == []
    assert feed.arrived(pointer(9), 1) == []
    assert (feed.due, feed.tick(9)) == (None, [])
    assert feed.fetched(fetch, [event(6)], 9) == [
        Deliver(5, 6, [event(6)]),
        Deliver(6, 8, [event(7), event(8)]),
        Fetch(8, 9),
    ]


def test_a_long_hole_is_fetched_in_parts() -> None:
    feed = Feed(0)
    feed.head_seen(2 * FETCH_MAX + 1, 0)
    fetch = asked(feed.tick(1), 0, FETCH_MAX)
    fetch = asked(feed.fetched(fetch, [], 1), FETCH_MAX, 2 * FETCH_MAX)
    asked(feed.fetched(fetch, [], 1), 2 * FETCH_MAX, 2 * FETCH_MAX + 1)


# --- pointer, head --------------------------------------------------------------------------


def test_a_pointer_is_fetched_at_once_and_once() -> None:
    feed = Feed(5)
    assert feed.arrived(pointer(6), 0) == [Fetch(5, 6)]
    assert feed.arrived(pointer(6), 0) == []


def test_a_pointer_above_held_frames_is_fetched_after_what_is_below_them() -> None:
    feed = Feed(5)
    feed.arrived(event(7), 0)
    fetch = asked(feed.arrived(pointer(8), 0), 5, 6)
    assert feed.fetched(fetch, [event(6)], 0) == [
        Deliver(5, 6, [event(6)]),
        Deliver(6, 7, [event(7)]),
        Fetch(7, 8),
    ]


def test_a_lost_last_event_shows_up_with_the_head() -> None:
    feed = Feed(5)
    assert feed.head_seen(6, 0) == []
    assert feed.tick(HOLE_WAITS_SECONDS) == [Fetch(5, 6)]


@pytest.mark.parametrize("head", [0, 4, 5])
def test_an_old_head_changes_nothing(head: int) -> None:
    feed = Feed(5)
    assert feed.head_seen(head, 0) == []
    assert (feed.position, feed.due) == (5, None)
    feed.arrived(event(7), 0)
    assert feed.head_seen(head, 0) == []
    assert feed.tick(1) == [Fetch(5, 6)]


# --- fetched --------------------------------------------------------------------------------


@pytest.mark.parametrize("answer", [[], [event(6)], [event(7)], [pointer(6), event(7)]])
def test_what_the_log_leaves_out_moves_the_position_too(answer: list[Frame]) -> None:
    feed = Feed(5)
    feed.head_seen(8, 0)
    fetch = asked(feed.tick(1), 5, 8)
    assert feed.fetched(fetch, answer, 1) == [Deliver(5, 8, answer)]
    assert (feed.position, feed.due) == (8, None)


def test_an_answer_is_delivered_without_what_has_arrived_meanwhile() -> None:
    feed = Feed(5)
    feed.arrived(event(8), 0)
    fetch = asked(feed.tick(1), 5, 7)
    assert feed.arrived(event(6), 1) == [Deliver(5, 6, [event(6)])]
    assert feed.fetched(fetch, [event(6), event(7)], 2) == [
        Deliver(6, 7, [event(7)]),
        Deliver(7, 8, [event(8)]),
    ]


def test_an_answer_that_comes_after_all_of_it_is_no_news() -> None:
    feed = Feed(5)
    feed.arrived(event(7), 0)
    fetch = asked(feed.tick(1), 5, 6)
    feed.arrived(event(6), 1)
    assert feed.fetched(fetch, [event(6)], 2) == []
    assert (feed.position, feed.due) == (7, None)


@pytest.mark.parametrize("other", [Fetch(8, 9), Fetch(5, 9), Fetch(5, 6)])
def test_an_answer_to_the_feed_before_this_one_is_dropped(other: Fetch) -> None:
    feed = Feed(5)
    fetch = asked(feed.arrived(pointer(6), 0), 5, 6)
    assert feed.fetched(other, [event(9)], 0) == []
    feed.fetch_failed(other, 0)
    assert feed.position == 5
    assert feed.due is None, "its own question is still open"
    assert feed.fetched(fetch, [event(6)], 0) == [Deliver(5, 6, [event(6)])]


def test_a_log_that_does_not_answer_is_asked_again_later() -> None:
    feed = Feed(5)
    feed.fetch_failed(asked(feed.arrived(pointer(6), 0), 5, 6), 3)
    assert feed.due == 3 + HOLE_WAITS_SECONDS
    assert feed.arrived(event(7), 3) == []
    assert feed.tick(3 + SOON) == []
    assert feed.tick(feed.due) == [Fetch(5, 6)]


def test_a_log_that_does_not_answer_is_not_asked_again_for_what_came_late() -> None:
    feed = Feed(5)
    feed.arrived(event(7), 0)
    fetch = asked(feed.tick(1), 5, 6)
    feed.arrived(event(6), 1)
    feed.fetch_failed(fetch, 1)
    assert (feed.position, feed.due) == (7, None)
