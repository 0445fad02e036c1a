"""Words that are not wanted in a room: found however they are written, whole words only. Pure.

Text is compared letter by letter without case and without the ways in which Unicode can write
one letter (NFKD, full case folding); what nobody sees (soft hyphens, zero-width characters,
fillers, control characters) is passed over. A word ends where letters and digits end. Scripts
that put no spaces between words have no such ends: there it is found anywhere.
"""

import re
import unicodedata
from collections.abc import Iterable
from functools import lru_cache

# Thai and Lao, Burmese, Khmer, kana, Han.
_UNSPACED = (
    "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u31f0-\u31ff"
    "\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
)
_LETTER = rf"[^\W_{_UNSPACED}]"
_UNSPACED_MARK = re.compile(f"[{_UNSPACED}]")
_JOINT = "M"  # a letter to ``re``, and none that is left when case has been folded
# Of Default_Ignorable_Code_Point (Unicode, DerivedCoreProperties) what is not Cf: joiners,
# fillers, variation selectors, and places that are kept for more of them.
_UNSEEN = re.compile(
    "[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u2065\u3164\ufe00-\ufe0f\uffa0"
    "\ufff0-\ufff8\U000e0000-\U000e0fff]"
)
_CONTROLS = dict.fromkeys(
    code for code in range(128) if not (chr(code).isprintable() or chr(code).isspace())
)


class Unwanted:
    """Words, to be looked for in texts."""

    def __init__(self, words: Iterable[str]) -> None:
        spelled = sorted({spelling(word) for word in words}, key=len, reverse=True)
        wanted = "|".join(re.escape(word) for word in spelled)
        self._pattern = re.compile(f"(?<!{_LETTER})(?:{wanted})(?!{_LETTER})")

    def is_in(self, text: str) -> bool:
        """Tell whether one of the words occurs."""
        return self._pattern.search(spelling(text)) is not None

    def hidden(self, text: str) -> str:
        """Return the text, as long as it was, with asterisks for every one of the words."""
        shown = list(text)
        places = [place for place, char in enumerate(text) for _ in _folded(char)]
        for found in self._pattern.finditer(spelling(text)):
            first, last = places[found.start()], places[found.end() - 1]
            shown[first : last + 1] = "*" * (last + 1 - first)
        return "".join(shown)


def spelling(text: str) -> str:
    """Return what a text is compared by; empty if there is nothing to see in it."""
    if text.isascii():
        return text.lower().translate(_CONTROLS)
    return "".join(map(_folded, text))


@lru_cache(4_096)
def _folded(char: str) -> str:
    plain = unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", char).casefold())
    return "".join(_joined(part) for part in plain)


def _joined(char: str) -> str:
    """Tie a mark to its letter: ``re`` takes it for the end of a word."""
    category = unicodedata.category(char)
    if category == "Cf" or _UNSEEN.match(char) or (category == "Cc" and not char.isspace()):
        return ""
    if not category.startswith("M"):
        return char
    return _JOINT + char if _UNSPACED_MARK.match(char) else _JOINT + char + _JOINT
