"""What is shown of a text that was found, and how well it fits. Pure."""

from typing import NamedTuple

import regex

from api.search.wanted import Term
from api.search.words import forms_in, words_in

EXCERPT_MAX = 200  # code points
LEAD_MAX = 60  # of them before the first match, so that one sees what it is about
LETTER_MAX = 32  # code points of what people see as one letter; what is longer may be cut

# Okapi BM25 without what depends on other messages: a score stays what it is.
_SATURATION, _LENGTH_SHARE, _USUAL_LENGTH = 1.2, 0.75, 20

_FLAGS = frozenset(map(chr, range(0x1F1E6, 0x1F200)))
_LETTERS = regex.compile(r"\X")  # UAX #29


class Excerpt(NamedTuple):
    """A part of a text, and in it the parts that match: offsets and lengths in code points."""

    text: str
    ranges: list[tuple[int, int]]


def excerpt_of(text: str, terms: tuple[Term, ...]) -> Excerpt:
    """Return the part of a text around what is looked for; without that, its beginning."""
    words = list(words_in(text))
    places = _joined(sorted(place for term in terms for place in term.places_in(words)))
    start = _start(text, places[0][0]) if places else 0
    end = _end(text, start, places[0][1] if places else 0)
    shown = [
        (first - start, min(last, end) - first) for first, last in places if start <= first < end
    ]
    return Excerpt(text[start:end], shown)


def score_of(text: str, terms: tuple[Term, ...]) -> float:
    """Return how well a text fits: the more often and the shorter, the better."""
    forms = forms_in(text)
    length = 1 - _LENGTH_SHARE + _LENGTH_SHARE * len(forms) / _USUAL_LENGTH
    counts = [len(term.among(forms)) for term in terms]
    return sum(count * (_SATURATION + 1) / (count + _SATURATION * length) for count in counts)


def _joined(places: list[tuple[int, int]]) -> list[tuple[int, int]]:
    joined: list[tuple[int, int]] = []
    for start, end in places:
        if joined and start < joined[-1][1]:
            joined[-1] = (joined[-1][0], max(end, joined[-1][1]))
        else:
            joined.append((start, end))
    return joined


def _start(text: str, first: int) -> int:
    """Return where an excerpt begins: at a word, where there is one close before the match."""
    if first <= LEAD_MAX:
        return 0
    start = first - LEAD_MAX
    space = text.find(" ", start - 1, first)
    return _uncut(text, start) if space < 0 else space + 1


def _end(text: str, start: int, matched: int) -> int:
    """Return where an excerpt ends: after a word, where one ends after the first match."""
    if len(text) - start <= EXCERPT_MAX:
        return len(text)
    end = start + EXCERPT_MAX
    space = text.rfind(" ", min(max(matched, start), end), end + 1)
    return min(max(_uncut(text, end), matched), end) if space <= start else space


def _uncut(text: str, place: int) -> int:
    """Return where what people see as one letter begins that goes on at a place."""
    begin = max(place - LETTER_MAX, 0)
    while begin and text[begin] in _FLAGS:  # two are a flag: which, is told from the first
        begin -= 1
    letters = _LETTERS.finditer(text, begin, place + LETTER_MAX)
    return next((found.start() for found in letters if found.end() > place), place)
