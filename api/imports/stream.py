"""An export is read as a stream: line by line, and each room's lines in batches.

What is kept in memory: the lines of the batches that are being filled, and those that
answer a message which has not come yet. They are recorded after it has; what never comes
is told at the end. So one run takes all that can be taken, and the next finds it there.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import BinaryIO, NamedTuple

from accounts.models import User
from api.codec import decode
from api.errors import ChatError, InvalidRequest, MalformedJson
from api.imports.actions import Fate, import_messages
from api.imports.schemas import Line
from api.messages.content import check_text

BATCH = 300  # messages of one room in a transaction: others wait so long to write
HELD_MAX = 20 * BATCH  # lines in batches of all rooms; then the fullest does not wait longer
LINE_BYTES_MAX = 1024 * 1024  # the longest text with every character escaped fits often

REASONS = {
    Fate.DIFFERENT: "/n: Another message has this place in the room.",
    Fate.CLOSED: "/room: It has been archived or deleted here.",
    Fate.UNANSWERED: "/reply_to: There is no such message in this room.",
}

Refuse = Callable[[int, str], None]  # is told the line's number, from 1, and why


@dataclass
class Totals:
    """What became of an export; ``rooms`` in the order in which they were met."""

    added: int = 0
    known: int = 0
    refused: int = 0
    rooms: dict[str, None] = field(default_factory=dict)


class _Numbered(NamedTuple):
    number: int
    line: Line


def lines_of(file: BinaryIO) -> Iterator[bytes]:
    """Yield the lines; of one that is too long, one byte more than is taken."""
    while line := file.readline(LINE_BYTES_MAX + 1):
        rest = line
        while rest and not rest.endswith(b"\n"):
            rest = file.readline(LINE_BYTES_MAX)
        yield line


def import_lines(lines: Iterable[bytes], refuse: Refuse, owner: User | None = None) -> Totals:
    """Record an export; lines that are no messages are told to ``refuse`` and left out.

    ``owner`` is put into the rooms that are made; without one they have no owner.
    """
    intake = _Intake(refuse, owner)
    for number, raw in enumerate(lines, 1):
        intake.take(number, raw)
    intake.finish()
    return intake.totals


class _Intake:
    """The lines between the file and the log."""

    def __init__(self, refuse: Refuse, owner: User | None) -> None:
        self.totals = Totals()
        self._owner = owner
        self._tell = refuse
        self._held: defaultdict[str, list[_Numbered]] = defaultdict(list)
        self._held_count = 0
        self._answers: defaultdict[tuple[str, int | None], list[_Numbered]] = defaultdict(list)

    def take(self, number: int, raw: bytes) -> None:
        """Take one line, and record what has become a batch."""
        try:
            line = _parsed(raw)
        except ChatError as error:
            self._refuse(number, _reason(error))
            return
        self._hold([_Numbered(number, line)])
        while len(self._held[line.room]) >= BATCH:
            self._record(line.room)
        while self._held_count > HELD_MAX:
            self._record(max(self._held, key=lambda room: len(self._held[room])))

    def finish(self) -> None:
        """Record what is held, and tell which answers have waited in vain."""
        while self._held_count:
            self._record(max(self._held, key=lambda room: len(self._held[room])))
        left = [item for answers in self._answers.values() for item in answers]
        for item in sorted(left):
            self._refuse(item.number, REASONS[Fate.UNANSWERED])

    def _hold(self, items: list[_Numbered]) -> None:
        for item in items:
            self._held[item.line.room].append(item)
        self._held_count += len(items)

    def _record(self, room: str) -> None:
        batch, rest = self._held[room][:BATCH], self._held[room][BATCH:]
        self._held[room] = rest
        self._held_count -= len(batch)
        if not rest:
            del self._held[room]
        lines = [item.line for item in batch]
        fates = import_messages(room_key=room, lines=lines, owner=self._owner)
        for item, fate in zip(batch, fates, strict=True):
            self._settle(item, fate)

    def _settle(self, item: _Numbered, fate: Fate) -> None:
        line = item.line
        match fate:
            case Fate.DIFFERENT | Fate.CLOSED:
                self._refuse(item.number, REASONS[fate])
                return
            case Fate.UNANSWERED:
                self._answers[line.room, line.reply_to].append(item)
                return
            case Fate.ADDED:
                self.totals.added += 1
            case Fate.KNOWN:
                self.totals.known += 1
        self.totals.rooms[line.room] = None
        self._hold(self._answers.pop((line.room, line.n), []))

    def _refuse(self, number: int, reason: str) -> None:
        self.totals.refused += 1
        self._tell(number, reason)


def _parsed(raw: bytes) -> Line:
    if len(raw) > LINE_BYTES_MAX:
        raise InvalidRequest(f"More than {LINE_BYTES_MAX} bytes.")
    try:
        line = decode(raw, Line)
    except MalformedJson:
        raise InvalidRequest("It is not JSON.") from None
    check_text(line.text)
    return line


def _reason(error: ChatError) -> str:
    pointer = error.errors[0].pointer if error.errors else ""
    return f"{pointer}: {error.detail}" if pointer else error.detail
