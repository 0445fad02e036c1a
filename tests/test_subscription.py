"""Where a subscriber is in a stream, and where each of many begins."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.log.frames import Frame
from realtime.subscription import PUSHED_MAX, Start, Subscription, starts

STREAM = "a-stream"


def live_at(position: int) -> Subscription:
    """Return a subscription that has joined."""
    subscription = Subscription(STREAM, position, granted=position)
    assert subscription.join(position)
    return subscription


@pytest.mark.parametrize(("feed_position", "live"), [(4, True), (5, True), (6, False)])
def test_a_subscription_joins_when_nothing_is_missing_below_the_feed(
    feed_position: int, live: bool
) -> None:
    subscription = Subscription(STREAM, 5, granted=5)
    assert not subscription.live
    assert subscription.join(feed_position) is subscription.live is live


def test_a_live_subscription_stays_live_where_the_feed_is_ahead() -> None:
    assert live_at(5).join(9)


def test_what_an_event_became_after_somebody_was_put_out_is_withheld_from_them() -> None:
    before = Frame(STREAM, 7, "as it was")
    changed = Frame(STREAM, 8, "as it is now", withheld={"bob": 9})
    out, back = Subscription(STREAM, 6, granted=6), Subscription(STREAM, 6, granted=9)
    assert out.visible([before, changed], "bob") == [
        before,
        Frame(STREAM, 8, None, None, {"bob": 9}),
    ]
    assert out.visible([before, changed], "carol") == [before, changed]
    assert back.visible([before, changed], "bob") == [before, changed], "let in again since"


@pytest.mark.parametrize(
    ("after", "to", "above"), [(5, 6, 5), (3, 6, 5), (5, 9, 5), (3, 5, None), (1, 2, None)]
)
def test_a_delivery_is_news_above_the_position(after: int, to: int, above: int | None) -> None:
    subscription = live_at(5)
    assert subscription.news_above(after, to) == above
    assert subscription.position == 5


def test_a_subscription_that_replays_takes_no_delivery() -> None:
    subscription = Subscription(STREAM, 5, granted=7)
    assert subscription.news_above(5, 6) is None
    assert subscription.position == 5


@pytest.mark.parametrize(("to", "position"), [(8, 8), (5, 5), (3, 5)])
def test_replay_moves_the_position_forward_only(to: int, position: int) -> None:
    subscription = Subscription(STREAM, 5, granted=9)
    subscription.replayed(to)
    assert subscription.position == position


def test_one_that_fell_behind_replays_and_joins_again() -> None:
    subscription = live_at(5)
    subscription.fall_behind()
    assert subscription.news_above(5, 9) is None
    assert not subscription.join(9)
    subscription.replayed(9)
    assert subscription.join(9)
    assert subscription.news_above(9, 10) == 9


def test_a_live_subscription_does_not_replay() -> None:
    with pytest.raises(RuntimeError, match="does not replay"):
        live_at(5).replayed(6)


def test_a_live_subscription_refuses_a_hole_and_stays_where_it_is() -> None:
    subscription = live_at(5)
    with pytest.raises(RuntimeError, match="no holes"):
        subscription.news_above(6, 7)
    assert subscription.position == 5


# --- where each of several begins -----------------------------------------------------------


@pytest.mark.parametrize(
    ("since", "head", "limit", "start"),
    [
        (None, 9, 1_000, Start(9)),
        (None, 0, 0, Start(0)),
        (9, 9, 0, Start(9)),
        (0, 9, 1_000, Start(0)),
        (4, 9, 5, Start(4)),
        (4, 9, 4, Start(9, gap=(5, 9))),
        (4, 9, 0, Start(9, gap=(5, 9))),
    ],
)
def test_a_stream_begins_at_since_or_behind_its_gap(
    since: int | None, head: int, limit: int, start: Start
) -> None:
    assert starts({STREAM: (since, head)}, limit) == {STREAM: start}


def test_of_many_streams_those_with_the_fewest_are_pushed() -> None:
    wanted: dict[str, tuple[int | None, int]] = {
        "many": (0, 1_000),
        **{f"{number}": (10, 1_009) for number in range(5)},
        "few": (7, 8),
        "now": (None, 70_000),
    }
    begun = starts(wanted, 1_000)
    assert begun.pop("many") == Start(1_000, gap=(1, 1_000))
    assert begun.pop("few") == Start(7)
    assert begun.pop("now") == Start(70_000)
    pushed = [start for start in begun.values() if start == Start(10)]
    assert (len(pushed), len(begun)) == (5, 5), "5 times 999 and 1 fit, another 1,000 do not"


pairs = st.tuples(st.integers(0, 3_000), st.none() | st.integers(0, 2_000)).map(
    lambda pair: (pair[0], pair[0]) if pair[1] is None else (pair[0], pair[0] + pair[1])
)
asked = st.dictionaries(
    st.text(min_size=1, max_size=2), pairs | st.tuples(st.none(), st.integers(0, 9)), max_size=12
)


@given(wanted=asked, limit=st.integers(0, 1_000))
def test_each_number_is_pushed_or_in_a_gap_within_what_may_be_pushed(
    wanted: dict[str, tuple[int | None, int]], limit: int
) -> None:
    begun = starts(wanted, limit)
    assert begun.keys() == wanted.keys()
    pushed, gaps = [], []
    for stream, (since, head) in wanted.items():
        start = begun[stream]
        if since is None:
            assert start == Start(head)
        elif start.gap is None:
            assert start.position == since
            pushed.append(head - since)
        else:
            assert start == Start(head, gap=(since + 1, head))
            gaps.append(head - since)
    assert sum(pushed) <= PUSHED_MAX
    assert all(missed <= limit for missed in pushed)
    within = [missed for missed in gaps if missed <= limit]
    assert not within or sum(pushed) + min(within) > PUSHED_MAX, "a gap only where it must be"
    assert not within or max(pushed, default=0) <= min(within), "the fewest first"
