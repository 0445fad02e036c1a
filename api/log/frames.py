"""An event as it travels: encoded once, the same for everybody."""

import uuid
from typing import Any

import msgspec

from api.codec import Instant, Payload, encode


class EventFrame(Payload):
    """A change, as clients see it; ``data`` depends on ``type``: see `asyncapi.yaml`."""

    type: str
    stream: uuid.UUID
    seq: int
    at: Instant
    actor_id: uuid.UUID | None
    data: Any


class Frame(msgspec.Struct, frozen=True):
    """One event on its way: ``text`` is the client's frame, None when only the log has it.

    ``withheld``: who does not get the text, because it shows what came after they were put
    out, at these numbers.
    """

    stream: str
    seq: int
    text: str | None
    ends: dict[str, Any] | None = None
    withheld: dict[str, int] | None = None


def frame(event: EventFrame, *, ends: Any = None, withheld: Any = None) -> Frame:
    """Encode an event, once for everybody; one without data stays in the log."""
    text = None if event.data is None else encode(event).decode()
    return Frame(stream=str(event.stream), seq=event.seq, text=text, ends=ends, withheld=withheld)
