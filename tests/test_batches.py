"""News as frames: one by one while nothing is left out, else in batches of a bounded size."""

import json
import uuid
from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.log.frames import Frame
from realtime import protocol
from realtime.wire import Wire

STREAM = str(uuid.uuid4())
FRAME_MAX = 64 * 1024  # bytes; contract §3.2


def event(seq: int, text: str = "") -> Frame:
    """Return an event as it travels."""
    told = json.dumps({"seq": seq, "text": text}, ensure_ascii=False)
    return Frame(STREAM, seq, told)


def left_out(seq: int) -> Frame:
    """Return what replay has of an event that has been overtaken."""
    return Frame(STREAM, seq, None)


def told(wires: Sequence[Wire]) -> list[dict[str, Any]]:
    """Return the frames, whose sizes are true."""
    assert [wire.size for wire in wires] == [len(wire.text.encode()) for wire in wires]
    return [json.loads(wire.text) for wire in wires]


def batch(first: int, last: int, *seqs: int) -> dict[str, Any]:
    """Return a batch of short events."""
    events = [{"seq": seq, "text": ""} for seq in seqs]
    return {"type": "batch", "stream": STREAM, "from": first, "to": last, "events": events}


def test_live_events_go_out_one_by_one_as_they_were_encoded() -> None:
    frames = [event(6), event(7, "grüße")]
    wires = protocol.events(STREAM, 5, 7, frames)
    assert [wire.text for wire in wires] == [frame.text for frame in frames]
    assert told(wires)[1] == {"seq": 7, "text": "grüße"}


@pytest.mark.parametrize(
    ("frames", "expected"),
    [
        ([], [batch(6, 8)]),
        ([event(6), event(8)], [batch(6, 8, 6, 8)]),
        ([event(6), left_out(7), event(8)], [batch(6, 8, 6, 8)]),
        ([left_out(6), left_out(7), left_out(8)], [batch(6, 8)]),
        ([event(7)], [batch(6, 8, 7)]),
    ],
)
def test_live_news_with_numbers_left_out_is_a_batch_that_covers_them(
    frames: list[Frame], expected: list[dict[str, Any]]
) -> None:
    assert told(protocol.events(STREAM, 5, 8, frames)) == expected


def test_a_batch_holds_at_most_a_hundred_events() -> None:
    frames = [event(seq) for seq in range(1, 202)]
    assert told(list(protocol.batches(STREAM, 0, 210, frames))) == [
        batch(1, 100, *range(1, 101)),
        batch(101, 200, *range(101, 201)),
        batch(201, 210, 201),
    ]


@pytest.mark.parametrize("size", range(648, 656))
def test_a_batch_is_bounded_with_all_that_is_around_its_events(size: int) -> None:
    frames = [Frame(STREAM, seq, '"' + "x" * (size - 2) + '"') for seq in range(1, 201)]
    wires = list(protocol.batches(STREAM, 0, 2**53 - 1, frames))
    assert max(wire.size for wire in wires) <= FRAME_MAX
    assert len(wires) <= 3


def test_a_number_that_the_log_has_no_row_of_falls_between_no_two_batches() -> None:
    frames = [event(1, "x" * 40_000), event(3, "x" * 40_000)]
    wires = list(protocol.batches(STREAM, 0, 3, frames))
    assert [(frame["from"], frame["to"]) for frame in told(wires)] == [(1, 1), (2, 3)]


def test_an_event_larger_than_a_batch_goes_alone() -> None:
    frames = [event(1), event(2, "x" * (FRAME_MAX + 1)), event(3)]
    wires = list(protocol.batches(STREAM, 0, 3, frames))
    assert [(frame["from"], frame["to"]) for frame in told(wires)] == [(1, 1), (2, 2), (3, 3)]


@given(
    after=st.integers(0, 50),
    kinds=st.lists(
        st.sampled_from(["", "left out", "absent", "x" * 700, "ü" * 9_000]), max_size=260
    ),
)
def test_batches_cover_every_number_once_and_are_bounded(after: int, kinds: list[str]) -> None:
    to = after + len(kinds) + 1
    numbered = list(enumerate(kinds, start=after + 1))
    frames = [
        left_out(seq) if kind == "left out" else event(seq, kind)
        for seq, kind in numbered
        if kind != "absent"
    ]
    wires = list(protocol.batches(STREAM, after, to, frames))
    batches = told(wires)
    covered = [seq for frame in batches for seq in range(frame["from"], frame["to"] + 1)]
    assert covered == list(range(after + 1, to + 1))
    assert all(frame["from"] <= frame["to"] for frame in batches)
    for wire, frame in zip(wires, batches, strict=True):
        assert len(frame["events"]) <= 100
        assert wire.size <= FRAME_MAX or len(frame["events"]) == 1
        assert all(frame["from"] <= item["seq"] <= frame["to"] for item in frame["events"])
    sent = [item for frame in batches for item in frame["events"]]
    assert sent == [json.loads(frame.text) for frame in frames if frame.text is not None]
