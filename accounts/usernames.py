"""Usernames: how they are compared, which are allowed, which look alike."""

import re
import unicodedata

from api.errors import InvalidRequest

RESERVED = frozenset({"room", "all", "here", "me", "system"})
_SHAPE = re.compile(r"[a-z0-9._-]{3,32}")


def normalized(name: str) -> str:
    """Return a username as it is stored and compared: NFKC, case folded."""
    return unicodedata.normalize("NFKC", name).casefold()


def checked(name: str) -> str:
    """Return a new username in its stored form.

    Raises:
        InvalidRequest: it has other characters or another length, or is reserved.
    """
    username = normalized(name)
    if not _SHAPE.fullmatch(username):
        raise InvalidRequest.at(
            "/username", "A username has 3 to 32 characters out of a-z, 0-9, '.', '_', '-'."
        )
    if skeleton(username) in _RESERVED_SKELETONS:
        raise InvalidRequest.at("/username", "This username is reserved.")
    return username


def skeleton(username: str) -> str:
    """Return what two usernames share that a reader may take for each other."""
    folded = username.replace("rn", "m").replace("vv", "w")
    return folded.translate(str.maketrans("01i", "oll"))


_RESERVED_SKELETONS = {skeleton(word) for word in RESERVED}
