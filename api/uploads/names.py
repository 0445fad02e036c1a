"""File names: what is left of them that is safe to show and to save under."""

import re
import unicodedata

NAME_CHARACTERS_MAX = 200
EXTENSION_CHARACTERS_MAX = 20  # with its dot; what is longer is no extension
NAMELESS = "file"

_JOINER = "\u200d"  # holds emoji together; the other invisible characters may deceive
_SPACES = re.compile(r"\s+")


def cleaned(name: str) -> str:
    """Return a name without path, control and invisible characters; never empty."""
    last = re.split(r"[/\\]", unicodedata.normalize("NFC", name))[-1]
    spaced = _SPACES.sub(" ", last)
    seen = "".join(char for char in spaced if char == _JOINER or not _is_unseen(char))
    stem, extension = parted(seen.strip(". "))
    return shortened(stem, extension) if stem + extension else NAMELESS


def parted(name: str) -> tuple[str, str]:
    """Return a name's stem and its extension, which has its dot and may be empty."""
    stem, dot, extension = name.rpartition(".")
    if not stem or not extension or len(extension) >= EXTENSION_CHARACTERS_MAX:
        return name, ""
    return stem, dot + extension


def shortened(stem: str, extension: str) -> str:
    """Return a name that is not too long; its extension stays."""
    return stem[: NAME_CHARACTERS_MAX - len(extension)] + extension


def _is_unseen(char: str) -> bool:
    return unicodedata.category(char) in ("Cc", "Cf", "Cs", "Zl", "Zp")
