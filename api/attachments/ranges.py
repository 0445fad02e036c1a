"""Parts of a file that are asked for (RFC 9110, section 14). Pure.

One part at a time: whoever asks for several is given the whole, which they must take.
"""

import re
from typing import NamedTuple

_RANGE = re.compile(r"bytes=(\d{0,18})-(\d{0,18})", re.IGNORECASE)


class Part(NamedTuple):
    """Bytes ``first`` to ``last``, both included."""

    first: int
    last: int

    @property
    def length(self) -> int:
        """How many bytes it is."""
        return self.last - self.first + 1


class Unsatisfiable(ValueError):
    """What is asked for lies behind the end."""


def part_asked_for(header: str, size: int) -> Part | None:
    """Return the part that a ``Range`` header asks for; None is the whole.

    Raises:
        Unsatisfiable: there is no such part.
    """
    asked = _RANGE.fullmatch(header.strip())
    if asked is None or asked.group(0).endswith("=-"):
        return None
    first, last = asked.groups()
    if not first:
        return _at_the_end(int(last), size)
    if last and int(last) < int(first):
        return None  # section 14.1.1: invalid, and so ignored
    if int(first) >= size:
        raise Unsatisfiable
    return Part(int(first), min(int(last), size - 1) if last else size - 1)


def _at_the_end(count: int, size: int) -> Part:
    if count == 0 or size == 0:
        raise Unsatisfiable
    return Part(max(size - count, 0), size - 1)
