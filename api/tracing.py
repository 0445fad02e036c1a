"""Which request is being worked on: its id stands in every log line about it."""

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

request_id: ContextVar[str | None] = ContextVar("request_id", default=None)


@contextmanager
def named() -> Iterator[str]:
    """Work on something under a new id."""
    name = uuid.uuid4().hex
    before = request_id.set(name)
    try:
        yield name
    finally:
        request_id.reset(before)
