"""What words are: how a text is cut into them, and which of them are the same. Pure.

The same for capitals and small letters, with and without accents (NFKD, marks away, NFKC); the
sigma that ends a Greek word is a sigma.
Where people write without spaces between words, each character counts as a word and a word as
a phrase. PostgreSQL does this itself, in the function ``search_words`` of a migration.
"""

import re
import unicodedata
from collections.abc import Iterator
from typing import NamedTuple

TEXT_MAX = 50_000  # code points of a message that are searched: a tsvector holds no more than 1 MiB

# Characters between which nobody writes spaces: Thai to Myanmar, Khmer, kana, Han.
_SPACELESS = "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff"
_SPACELESS += "\uf900-\ufaff\U00020000-\U0003ffff"
_MARKS = "\u3099\u309a" + "".join(  # signs that belong to the letter before, in most scripts
    chr(code) for code in range(0x300, 0x1D00) if unicodedata.category(chr(code))[0] == "M"
)
_WORD = re.compile(
    rf"(?P<one>(?=[^\W_])[{_SPACELESS}])[{_MARKS}]*"
    rf"|(?:(?![{_SPACELESS}])[^\W_])(?:(?![{_SPACELESS}])[^\W_]|[{_MARKS}])*"
)
_PLAIN = re.compile("[a-z0-9]+")  # the same for what is ASCII
_ACCENTS = re.compile("[\u0300-\u036f]")


class Word(NamedTuple):
    """A word as it is compared, and where it stands in the text: in code points."""

    form: str
    start: int
    end: int


def words_in(text: str) -> Iterator[Word]:
    """Cut a text into its words, in order."""
    if text.isascii():
        for found in _PLAIN.finditer(text.lower(), 0, TEXT_MAX):
            yield Word(found.group(), *found.span())
        return
    for found in _WORD.finditer(text, 0, TEXT_MAX):
        start, end = found.span()
        folded = _folded(found.group())
        if folded.isascii() and folded.isalnum():
            yield Word(folded, start, end)
        else:
            for piece in _WORD.finditer(folded):
                yield Word(piece.group("one") or piece.group(), start, end)


def forms_in(text: str) -> list[str]:
    """Return the words of a text, in order, as they are compared."""
    if text.isascii():
        return _PLAIN.findall(text.lower(), 0, TEXT_MAX)
    return [word.form for word in words_in(text)]


def searchable(text: str | None) -> str:
    """Return the words of a text with spaces between them, as an index takes them."""
    return " ".join(forms_in(text or ""))


def _folded(word: str) -> str:
    bare = _ACCENTS.sub("", unicodedata.normalize("NFKD", word))
    return unicodedata.normalize("NFKC", bare).lower().replace("\u03c2", "\u03c3")
