"""Lists by number: what a page shows, what it says it covers, and how pages join.

A small stream is tried with every window there is.
"""

import uuid
from collections.abc import Callable, Iterable

import pytest

from api.clock import now
from api.errors import InvalidRequest
from api.log.heads import head_given
from api.log.models import Event
from api.log.pages import Page, Pages, Window
from api.log.reading import Recorded
from api.statements import Given

pytestmark = pytest.mark.django_db(transaction=True)

MESSAGES = (2, 3, 4, 7, 9, 10, 14)  # the numbers in between are other events
HEAD = 12  # as the reader has seen it: 14 has been written since
NUMBERS = range(HEAD + 4)
LIMITS = range(1, 8)
Read = Callable[[Window], Page[Recorded]]
PAGES = Pages(
    Recorded,
    lambda: Event.objects.filter(stream_id=Given("stream"), type="message").values_list(
        head_given("stream"), *Recorded._fields
    ),
)
EVERY_WINDOW = [
    *(Window(limit) for limit in LIMITS),
    *(Window(limit, before=number) for limit in LIMITS for number in NUMBERS),
    *(Window(limit, after=number) for limit in LIMITS for number in NUMBERS),
    *(Window(limit, around=number) for limit in LIMITS for number in NUMBERS),
]


@pytest.fixture
def messages() -> Read:
    """The pages of the messages of a stream, in a log with another stream beside it."""
    stream, other = uuid.uuid4(), uuid.uuid4()
    rows = [
        Event(stream_id=owner, seq=seq, type="message" if seq in MESSAGES else "other", at=now())
        for owner in (stream, other)
        for seq in range(1, 15)
    ]
    Event.objects.bulk_create(rows)
    return lambda window: PAGES.page(window, HEAD, stream=stream)


def seqs(found: Page[Recorded]) -> list[int]:
    """Return the numbers that a page shows."""
    return [event.seq for event in found.items]


def within(first: int, last: int) -> list[int]:
    """Return the numbers of the messages in a range, up to the head."""
    return [seq for seq in MESSAGES if first <= seq <= min(last, HEAD)]


def test_every_page_shows_all_that_it_covers_and_says_what_is_beyond(
    messages: Read,
) -> None:
    for window in EVERY_WINDOW:
        found = messages(window)
        assert seqs(found) == within(found.first, found.last), window
        assert len(found.items) <= window.limit, window
        assert 1 <= found.first <= found.last + 1 <= HEAD + 1, window
        assert found.head == HEAD
        older, newer = within(1, found.first - 1), within(found.last + 1, HEAD)
        assert bool(older) <= (found.first > 1), "from = 1: nothing older"
        assert bool(newer) <= (found.last < HEAD), "to = head: nothing newer"
        if window.after is not None:
            assert found.has_more is bool(newer), window
        elif window.around is not None:
            assert found.has_more is bool(older or newer), window
        else:
            assert found.has_more is bool(older), window


def test_before_and_after_are_exclusive_and_around_is_inclusive(messages: Read) -> None:
    for limit in LIMITS:
        for number in NUMBERS:
            before = messages(Window(limit, before=number))
            assert before.last == max(min(number - 1, HEAD), 0)
            after = messages(Window(limit, after=number))
            assert after.first == min(number, HEAD) + 1
            around = messages(Window(limit, around=number))
            assert around.first <= max(min(number, HEAD), 1) <= max(around.last, 1)
            assert (number in seqs(around)) is (number in within(1, HEAD))


@pytest.mark.parametrize(
    ("window", "expected", "first", "last", "has_more"),
    [
        (Window(3), [7, 9, 10], 7, 12, True),
        (Window(7), [2, 3, 4, 7, 9, 10], 1, 12, False),
        (Window(2, before=7), [3, 4], 3, 6, True),
        (Window(3, before=7), [2, 3, 4], 1, 6, False),
        (Window(2, before=2), [], 1, 1, False),
        (Window(2, before=0), [], 1, 0, False),
        (Window(2, after=3), [4, 7], 4, 7, True),
        (Window(3, after=4), [7, 9, 10], 5, 12, False),
        (Window(2, after=10), [], 11, 12, False),
        (Window(2, after=12), [], 13, 12, False),
        (Window(2, after=99), [], 13, 12, False),
        (Window(4, around=7), [4, 7, 9, 10], 4, 12, True),
        (Window(3, around=7), [4, 7, 9], 4, 9, True),
        (Window(1, around=7), [7], 7, 7, True),
        (Window(2, around=5), [4, 7], 4, 7, True),
        (Window(2, around=99), [10], 10, 12, True),
        (Window(2, around=0), [2], 1, 2, True),
    ],
)
def test_a_page_as_a_client_would_expect_it(
    messages: Read,
    window: Window,
    expected: list[int],
    first: int,
    last: int,
    has_more: bool,
) -> None:
    found = messages(window)
    assert (seqs(found), found.first, found.last) == (expected, first, last)
    assert found.has_more is has_more


def walk_back(messages: Read, found: Page[Recorded], limit: int) -> list[Page[Recorded]]:
    """Return this page and the older ones, as a client reads them."""
    pages = [found]
    while pages[-1].first > 1 and len(pages) < 20:
        pages.append(messages(Window(limit, before=pages[-1].first)))
    return pages


def walk_on(messages: Read, found: Page[Recorded], limit: int) -> list[Page[Recorded]]:
    """Return this page and the newer ones, as a client reads them."""
    pages = [found]
    while pages[-1].last < pages[-1].head and len(pages) < 20:
        pages.append(messages(Window(limit, after=pages[-1].last)))
    return pages


def assert_whole(pages: Iterable[Page[Recorded]]) -> None:
    """Check that pages in order cover 1 to the head, each number once."""
    covered = [number for found in pages for number in range(found.first, found.last + 1)]
    assert covered == list(range(1, HEAD + 1))


@pytest.mark.parametrize("limit", LIMITS)
def test_pages_join_without_a_hole_and_without_a_repeat(messages: Read, limit: int) -> None:
    assert_whole(reversed(walk_back(messages, messages(Window(limit)), limit)))
    assert_whole(walk_on(messages, messages(Window(limit, after=0)), limit))
    for number in NUMBERS:
        middle = messages(Window(limit, around=number))
        older = walk_back(messages, middle, limit)
        newer = walk_on(messages, middle, limit)
        assert_whole([*reversed(older), *newer[1:]])


@pytest.mark.parametrize(
    "window", [Window(2), *(Window(2, **{name: 0}) for name in ("before", "after", "around"))]
)
def test_an_empty_stream_has_an_empty_page(window: Window) -> None:
    found = PAGES.page(window, 0, stream=uuid.uuid4())
    assert (found.items, found.first, found.last, found.head) == ([], 1, 0, 0)
    assert not found.has_more


@pytest.mark.parametrize(
    "bounds",
    [
        {"before": 1, "after": 1},
        {"before": 0, "around": 0},
        {"after": 0, "around": 1},
        {"before": 3, "after": 1, "around": 2},
    ],
)
def test_at_most_one_of_the_three_is_given(bounds: dict[str, int]) -> None:
    with pytest.raises(InvalidRequest):
        Window(2, **bounds)
