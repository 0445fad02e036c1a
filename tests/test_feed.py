"""What one process delivers of a stream: every number once, in order, whatever the layer does.

A model: a log, a layer that loses, doubles, delays and swaps, and subscribers that come,
go and fall behind. One example for each rule is in tests/test_feed_rules.py.
"""

from collections.abc import Sequence

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule
from typing_extensions import override

from api.log.frames import Frame
from realtime import feed as feeds
from realtime.feed import HOLE_WAITS_SECONDS, Deliver, Effect, Feed, Fetch
from realtime.subscription import Subscription

STREAM = "a-stream"
CALM_ROUNDS = 500  # more than anything takes to be repaired


def event(seq: int) -> Frame:
    """Return an event as the channel layer carries it."""
    return Frame(STREAM, seq, f"event {seq}")


def pointer(seq: int) -> Frame:
    """Return what the channel layer carries of an event that only the log can show."""
    return Frame(STREAM, seq, None)


def left_out(seq: int) -> bool:
    """Tell whether the log of the model shows nothing under this number."""
    return seq % 5 == 0


def from_log(after: int, to: int) -> list[Frame]:
    """Return what the log of the model answers; some of what it leaves out has no frame."""
    numbers = (seq for seq in range(after + 1, to + 1) if seq % 10)
    return [pointer(seq) if left_out(seq) else event(seq) for seq in numbers]


class Subscriber:
    """Somebody who listens, and notes every number that is covered by what comes."""

    def __init__(self, since: int | None, head: int) -> None:
        self.since = head if since is None else since
        self.subscription = Subscription(STREAM, self.since, granted=head)
        self.got: list[int] = []
        self.stuck = False
        self.page: tuple[int, int] | None = None

    def take(self, news: Deliver) -> None:
        """Take what the feed delivers, as the hub hands it over."""
        if self.stuck:
            self.subscription.fall_behind()
            return
        above = self.subscription.news_above(news.after, news.to)
        if above is not None:
            self.subscription.position = news.to
            fresh = [frame for frame in news.frames if frame.seq > above]
            self.note(above, news.to, news.frames if above == news.after else fresh)

    def note(self, above: int, to: int, frames: Sequence[Frame]) -> None:
        """Check that every number is shown that is not left out, in order."""
        shown = [frame for frame in frames if frame.text is not None]
        assert shown == [event(frame.seq) for frame in shown]
        covered = range(above + 1, to + 1)
        seqs = [frame.seq for frame in shown]
        assert [seq for seq in covered if seq in seqs or not left_out(seq)] == seqs
        self.got.extend(covered)


class Delivery(RuleBasedStateMachine):
    """The log, the layer, and one process that listens; bounds small enough to be met."""

    def __init__(self) -> None:
        super().__init__()
        self.small = pytest.MonkeyPatch()
        self.small.setattr(feeds, "HELD_MAX", 3)
        self.small.setattr(feeds, "FETCH_MAX", 3)
        self.now = 0.0
        self.head = 0
        self.layer: list[Frame] = []
        self.asked: list[tuple[Feed, Fetch]] = []
        self.feed, self.delivered = Feed(0), 0
        self.grants: list[Subscriber] = [Subscriber(None, 0)]
        self.subscribers: list[Subscriber] = []
        self.listens(0)

    # --- the log and the layer ----------------------------------------------------------

    @rule(carried=st.lists(st.sampled_from(["", "e", "ee", "p", "pe"]), min_size=1, max_size=6))
    def happens(self, carried: list[str]) -> None:
        for copies in carried:
            self.head += 1
            self.layer += [event(self.head) if c == "e" else pointer(self.head) for c in copies]

    @precondition(lambda self: self.layer)
    @rule(places=st.lists(st.integers(0, 9), min_size=1, max_size=6))
    def arrive(self, places: list[int]) -> None:
        for place in places[: len(self.layer)]:
            frame = self.layer.pop(place % len(self.layer))
            self.apply(self.feed.arrived(frame, self.now))

    @rule(old=st.integers(0, 3))
    def head_is_seen(self, old: int) -> None:
        self.apply(self.feed.head_seen(max(self.head - old, 0), self.now))

    @rule(seconds=st.sampled_from([0.1, HOLE_WAITS_SECONDS, 2.0]))
    def time_passes(self, seconds: float) -> None:
        self.now += seconds
        is_due = self.feed.due is not None and self.now >= self.feed.due
        effects = self.feed.tick(self.now)
        assert bool(effects) == is_due
        self.apply(effects)

    @precondition(lambda self: self.asked)
    @rule(place=st.integers(0, 9), fails=st.booleans())
    def log_answers(self, place: int, fails: bool) -> None:
        _, fetch = self.asked.pop(place % len(self.asked))
        if fails:
            self.feed.fetch_failed(fetch, self.now)
        else:
            self.apply(self.feed.fetched(fetch, from_log(fetch.after, fetch.to), self.now))

    # --- the subscribers ----------------------------------------------------------------

    @rule(back=st.none() | st.integers(0, 12))
    def permission_is_read(self, back: int | None) -> None:
        since = None if back is None else max(self.head - back, 0)
        self.grants.append(Subscriber(since, self.head))

    @precondition(lambda self: self.grants)
    @rule(place=st.integers(0, 9))
    def listens(self, place: int) -> None:
        new = self.grants.pop(place % len(self.grants))
        head = new.subscription.granted
        self.subscribers.append(new)
        new.subscription.join(max(self.feed.position, head))
        self.apply(self.feed.head_seen(head, self.now))

    @precondition(lambda self: self.grants)
    @rule(place=st.integers(0, 9))
    def all_leave_and_another_comes(self, place: int) -> None:
        self.subscribers.clear()
        self.delivered = self.grants[place % len(self.grants)].subscription.granted
        self.feed = Feed(self.delivered)
        self.listens(place)

    @rule(place=st.integers(0, 9), stuck=st.booleans())
    def stops_or_goes_on_reading(self, place: int, stuck: bool) -> None:
        self.subscribers[place % len(self.subscribers)].stuck = stuck

    @rule(place=st.integers(0, 9), limit=st.integers(1, 5))
    def replays(self, place: int, limit: int) -> None:
        self.replay(self.subscribers[place % len(self.subscribers)], limit)

    def replay(self, subscriber: Subscriber, limit: int) -> None:
        """Send the page that was read, or read the next one, or join."""
        subscription = subscriber.subscription
        if subscriber.page is not None:
            after, to = subscriber.page
            subscriber.page = None
            subscription.replayed(to)
            subscriber.note(after, to, from_log(after, to))
        elif not subscription.live and not subscription.join(self.feed.position):
            to = min(self.feed.position, subscription.position + limit)
            subscriber.page = (subscription.position, to)

    # --- what holds ---------------------------------------------------------------------

    def apply(self, effects: list[Effect]) -> None:
        """Hand over what is delivered, and keep what is asked."""
        for effect in effects:
            if isinstance(effect, Deliver):
                assert effect.after == self.delivered < effect.to <= self.head
                assert all(effect.after < frame.seq <= effect.to for frame in effect.frames)
                self.delivered = effect.to
                for subscriber in self.subscribers:
                    subscriber.take(effect)
            else:
                assert self.feed not in [feed for feed, _ in self.asked]
                assert self.delivered == effect.after < effect.to <= self.head
                assert effect.to - effect.after <= feeds.FETCH_MAX
                self.asked.append((self.feed, effect))

    @invariant()
    def is_bounded_and_where_it_has_delivered_to(self) -> None:
        assert len(self.feed._held) <= feeds.HELD_MAX
        assert self.feed.position == self.delivered

    def calms_down(self) -> None:
        """See the head, answer, replay, until nothing is left; then look at what they got."""
        for _ in range(CALM_ROUNDS):
            if self.is_calm():
                break
            self.now += HOLE_WAITS_SECONDS
            self.apply(self.feed.head_seen(self.head, self.now) + self.feed.tick(self.now))
            answered, self.asked = self.asked, []
            for _, fetch in answered:
                self.apply(self.feed.fetched(fetch, from_log(fetch.after, fetch.to), self.now))
            for subscriber in self.subscribers:
                subscriber.stuck = False
                self.replay(subscriber, limit=3)
        for subscriber in self.subscribers:
            assert subscriber.got == list(range(subscriber.since + 1, self.head + 1))

    def is_calm(self) -> bool:
        """Tell whether there is nothing left to do."""
        live = all(subscriber.subscription.live for subscriber in self.subscribers)
        feed = self.feed
        return live and not self.asked and feed.due is None and feed.position == self.head

    @override
    def teardown(self) -> None:
        try:
            self.calms_down()
        finally:
            self.small.undo()


TestEverySubscriberGetsEveryNumberOnceAndInOrder = Delivery.TestCase
TestEverySubscriberGetsEveryNumberOnceAndInOrder.settings = settings(
    max_examples=500, stateful_step_count=60, deadline=None
)
