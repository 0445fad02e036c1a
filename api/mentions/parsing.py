"""Where a text may name somebody, and by which names. Pure: what names there are comes in.

An ``@`` names nobody in the middle of a word, so in an address or a path. What follows it is
read as usernames are compared (NFKC, case folded), as far as it goes; the dots, dashes and
underscores at its end belong to the name only where there is such a name. So ``@ann.`` is
``ann.`` if somebody is called that, else ``ann``; but never is ``@ann.lee`` a way to say
``ann``: that would call the wrong person.
"""

import re
import string
import unicodedata
import uuid
from collections.abc import Collection, Iterator, Mapping
from typing import NamedTuple

from accounts.usernames import normalized

NAME_LENGTH_MAX = 32  # code points of a username
NAMES_MAX = 200  # different ones of a text that are looked up
PEOPLE_MAX = 50  # different ones that a text can name
PLACES_MAX = 100  # at which it can: the message has to fit a frame
ROOM = "room"

_OF_NAMES = frozenset(string.ascii_lowercase + string.digits + "._-")
_AT_THE_END = frozenset("._-")
_AT = re.compile("@")


class Place(NamedTuple):
    """An ``@`` and the names that it may stand before, the longest first, with their lengths."""

    offset: int
    names: tuple[tuple[str, int], ...]


class Named(NamedTuple):
    """Whom a text names, None for the room, and where; the length includes the ``@``."""

    user_id: uuid.UUID | None
    offset: int
    length: int


def places(text: str) -> list[Place]:
    """Return where a text may name somebody, as far as names may be looked up."""
    found: list[Place] = []
    names: set[str] = set()
    for at in _AT.finditer(text):
        place = Place(at.start(), tuple(_names(text, at.end())))
        if not place.names or _within_a_word(text, at.start()):
            continue
        names.update(name for name, _ in place.names)
        if len(names) > NAMES_MAX:
            break
        found.append(place)
    return found


def named(found: Collection[Place], people: Mapping[str, uuid.UUID]) -> list[Named]:
    """Return whom these places name, given the people there by their usernames."""
    mentions: list[Named] = []
    different: set[uuid.UUID] = set()
    for place in found:
        name, length = next(((n, size) for n, size in place.names if _is(n, people)), ("", 0))
        user_id = people.get(name)
        new = user_id is not None and user_id not in different
        if not name or (new and len(different) == PEOPLE_MAX):
            continue
        if user_id is not None:
            different.add(user_id)
        mentions.append(Named(user_id, place.offset, length))
        if len(mentions) == PLACES_MAX:
            break
    return mentions


def strangers(
    found: Collection[Place], people: Mapping[str, uuid.UUID], others: Collection[str]
) -> list[str]:
    """Return the usernames of others that stand where a text names none of the people."""
    meant: dict[str, None] = {}
    for place in found:
        names = [name for name, _ in place.names]
        if not any(_is(name, people) for name in names):
            meant |= dict.fromkeys([name for name in names if name in others][:1])
    return list(meant)[:PEOPLE_MAX]


def _is(name: str, people: Mapping[str, uuid.UUID]) -> bool:
    return name in people or name == ROOM


def _within_a_word(text: str, at: int) -> bool:
    """Tell whether what is before the ``@`` makes it part of an address or a path."""
    before = text[max(at - 2, 0) : at]
    if before.endswith(("@", "/")):
        return True
    last = before.removesuffix("-").removesuffix("_").removesuffix("+")[-1:]
    return last != "" and _is_of_a_word(last)


def _is_of_a_word(char: str) -> bool:
    """Tell whether a name cannot begin or end beside this: scripts without spaces may."""
    plain = normalized(char)[:1]
    return plain.isdecimal() or unicodedata.name(plain, "").startswith("LATIN")


def _names(text: str, begin: int) -> Iterator[tuple[str, int]]:
    """Say which names may stand here, the longest first, with their lengths in the text."""
    read: list[str] = []
    for place in range(begin, len(text)):
        char = text[place]
        piece = normalized(char)
        if not piece or not _OF_NAMES.issuperset(piece):
            if char == "@" or unicodedata.category(char)[0] == "M" or _is_of_a_word(char):
                return  # it goes on in a way that no name does
            break
        read.append(piece)
    while read:
        if len(read) <= NAME_LENGTH_MAX and len(name := "".join(read)) <= NAME_LENGTH_MAX:
            yield name, len(read) + 1
        if not _AT_THE_END.issuperset(read.pop()):
            return
