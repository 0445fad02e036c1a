"""Encoded frames: one payload, in the form that each door takes."""

import pytest
from websockets.frames import Frame, Opcode
from websockets.streams import StreamReader

from realtime.wire import Wire


def parsed(raw: bytes) -> Frame:
    """Return what another implementation of RFC 6455 reads."""
    reader = StreamReader()
    reader.feed_data(raw)
    reader.feed_eof()
    reading = Frame.parse(reader.read_exact, mask=False)
    try:
        next(reading)
    except StopIteration as done:
        assert reader.buffer == b"", "nothing but the frame"
        found: Frame = done.value
        return found
    raise AssertionError("The frame is not whole.")


@pytest.mark.parametrize("size", [0, 1, 125, 126, 127, 65_535, 65_536, 300_000])
def test_a_transport_takes_one_unmasked_text_frame(size: int) -> None:
    wire = Wire(b"x" * size)
    assert parsed(wire.frame) == Frame(Opcode.TEXT, b"x" * size)
    assert wire.frame is wire.frame, "it is made once"


@pytest.mark.parametrize("text", ["", "plain", "grüße 😀"])
def test_asgi_takes_the_same_as_text(text: str) -> None:
    for wire in (Wire(text.encode()), Wire(text.encode(), text)):
        assert (wire.text, wire.size) == (text, len(text.encode()))
        assert bytes(parsed(wire.frame).data) == text.encode()
