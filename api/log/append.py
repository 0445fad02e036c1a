"""The only way into the log: lock, number, record, and publish after the commit.

A transaction calls :func:`append` once, with everything that happened in it. Order of
locks: a room's stream before the streams of persons, those in the order of their ids; so
two writers never wait for each other in a circle (docs/decisions/0006). An action that has
to read before it knows what happened calls :func:`lock` first, and reads its permission after
that; one that has to know the numbers too gives ``then``.
"""

import threading
import uuid
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from itertools import count
from typing import Any, Literal, TypedDict

from django.db import connection, transaction

from api.changes import Insertion
from api.clock import now
from api.codec import Payload, instant
from api.cursors import adapted
from api.errors import NotFound
from api.log import publish
from api.log.frames import EventFrame, frame
from api.log.models import Event, Stream
from api.statements import Given, Rows, identity

_locked = Rows(  # SQLite has one writer anyway
    int,
    lambda: Stream.objects.select_for_update().filter(pk=Given("stream")).values_list("last_seq"),
)
_recorded = Insertion(
    Event,
    *("stream_id", "seq", "type", "at", "actor_id"),
    *("subject_kind", "subject_id", "data", "ends"),
)
_begun = Insertion(Stream, "id", "last_seq")
_one_writer = threading.RLock()  # on SQLite: queueing here is fair, at the file it is not
_around = threading.local()  # ``open``: the thread is in such a transaction


class StreamsClosed(NotFound):
    """Nothing is recorded any more in these streams."""

    def __init__(self, streams: set[uuid.UUID]) -> None:
        super().__init__()
        self.streams = streams


class Ends(TypedDict, total=False):
    """What an event ends, for delivery to act on in its place in the order.

    ``users``: their subscriptions to this stream. ``sessions``: all sockets of these.
    ``stream``: every subscription. ``reason`` goes into the ``unsubscribed`` frame.
    """

    users: list[str]
    sessions: list[str]
    stream: bool
    reason: Literal["left", "removed", "banned", "deleted"]


@dataclass
class Entry:
    """Something that happened, about to be numbered; ``at`` when not at everything's time."""

    stream: uuid.UUID
    type: str
    actor_id: uuid.UUID | None = None
    subject: tuple[str, uuid.UUID] | None = None
    data: Any = None
    ends: Ends | None = None
    at: datetime | None = None


@dataclass
class Numbered:
    """An entry with its number and its time, ready to be shown to live subscribers."""

    entry: Entry
    seq: int
    at: datetime
    shown: Any = field(default=None)

    def show(self, data: Payload) -> None:
        """Publish ``data`` with an event that has a subject; else the log is read for it."""
        self.shown = data


@contextmanager
def writing() -> Iterator[None]:
    """Open the one transaction of an action. Not to be nested, but in :func:`around`."""
    if getattr(_around, "open", False):
        with transaction.atomic():
            yield
    elif connection.vendor == "sqlite":
        with _one_writer, transaction.atomic(durable=True):
            yield
    else:
        with transaction.atomic(durable=True):
            yield


@contextmanager
def around() -> Iterator[None]:
    """Open a transaction that an action becomes a part of: both are recorded, or neither is."""
    with writing():
        _around.open = True
        try:
            yield
        finally:
            _around.open = False


def lock(stream: uuid.UUID, *, begin: bool = False) -> int:
    """Wait for the writers of a stream and return its head; what is read next is true.

    A stream that has no event yet is nobody's to wait for: its head is 0. ``begin`` makes
    it, so that those who come at once before the first event wait for each other.
    """
    head = _locked.first(stream=stream)
    if head is None and begin:
        _begun.run_if_new([(stream, 0)])
        head = _locked.first(stream=stream)
    return head or 0


def append(
    entries: Sequence[Entry],
    *,
    at: datetime | None = None,
    silent: bool = False,
    then: Callable[[Sequence[Numbered]], Sequence[Entry]] | None = None,
) -> list[Numbered]:
    """Number and record what happened, and publish it once it is durable.

    ``silent`` publishes nothing (bulk imports): sockets find it in the log. ``then`` is called
    when the entries are numbered and their streams locked, to read, and returns what happened
    besides; those streams are locked after the others, in the order of their ids, and have no
    entry where they are closed. What was numbered comes back in this order.

    Raises:
        StreamsClosed: some of the streams of ``entries`` have been closed.
        RuntimeError: the transaction has appended before.
    """
    _only_once()
    moment = at or now()
    shown: list[Numbered] = []
    transaction.on_commit(partial(_publish, shown), robust=True)
    order = _lock_order([entry.stream for entry in entries])
    numbered = _numbered(entries, order, moment)
    closed = set(order) - {item.entry.stream for item in numbered}
    if closed:
        raise StreamsClosed(closed)
    more = then(numbered) if then else ()
    if more:
        numbered += _numbered(more, sorted({entry.stream for entry in more}), moment)
    _recorded.run([_row(item) for item in numbered])
    shown += [] if silent else numbered
    return numbered


def _only_once() -> None:
    if not connection.in_atomic_block:
        raise RuntimeError("append() belongs into writing()")
    hooks = (hook[1] for hook in connection.run_on_commit)
    if any(getattr(hook, "func", None) is _publish for hook in hooks):
        raise RuntimeError("append() was called before in this transaction")


def _lock_order(streams: Sequence[uuid.UUID]) -> list[uuid.UUID]:
    first, *others = dict.fromkeys(streams)
    return [first, *sorted(others)]


def _numbered(
    entries: Sequence[Entry], order: Sequence[uuid.UUID], moment: datetime
) -> list[Numbered]:
    """Lock these streams and number the entries, in one statement; without those of closed ones."""
    counts = Counter(entry.stream for entry in entries)
    parameters = adapted(
        (value for stream in order for value in (stream, counts[stream])), connection
    )
    rows = ", ".join(["(%s, %s)"] * len(order))
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO api_stream (id, last_seq) "  # noqa: S608  only placeholders
            f"VALUES {rows} ON CONFLICT (id) DO UPDATE "
            "SET last_seq = api_stream.last_seq + excluded.last_seq "
            "WHERE api_stream.closed_at IS NULL RETURNING id, last_seq",
            parameters,
        )
        heads = {identity(stream): last for stream, last in cursor.fetchall()}
    numbers = {stream: count(head - counts[stream] + 1) for stream, head in heads.items()}
    return [
        Numbered(
            entry,
            seq=next(numbers[entry.stream]),
            at=entry.at or moment,
            shown=None if entry.subject else entry.data,
        )
        for entry in entries
        if entry.stream in numbers
    ]


def _row(item: Numbered) -> tuple[Any, ...]:
    entry = item.entry
    kind, subject_id = entry.subject or ("", None)
    return (
        *(entry.stream, item.seq, entry.type, item.at, entry.actor_id),
        *(kind, subject_id, entry.data, entry.ends),
    )


def _publish(numbered: Sequence[Numbered]) -> None:
    publish.publish(
        [
            frame(
                EventFrame(
                    type=item.entry.type,
                    stream=item.entry.stream,
                    seq=item.seq,
                    at=instant(item.at),
                    actor_id=item.entry.actor_id,
                    data=item.shown,
                ),
                ends=item.entry.ends,
            )
            for item in numbered
        ]
    )
