"""What is being worked on: which request, on which socket; it stands in every log line about it.

Both are of the context (PEP 567): a thread or a callback that works for another is given a copy.
"""

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

request_id: ContextVar[str | None] = ContextVar("request_id", default=None)
connection_id: ContextVar[str | None] = ContextVar("connection_id", default=None)


def connected(connection: uuid.UUID) -> None:
    """Begin to work for a socket, and for no request before it on the same connection."""
    connection_id.set(str(connection))
    request_id.set(None)


@contextmanager
def named() -> Iterator[str]:
    """Work on something under a new id."""
    name = uuid.uuid4().hex
    before = request_id.set(name)
    try:
        yield name
    finally:
        request_id.reset(before)
