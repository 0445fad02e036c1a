"""What somebody looks for: words, "phrases", -not, prefix*. Pure; any input means something."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from api.search.words import Word, forms_in

_TERM = re.compile(r'(?P<no>(?<!\S)-)?(?:"(?P<phrase>[^"]*)"?|(?P<plain>[^\s"]+))')


class Term(NamedTuple):
    """Words that stand one after the other; of the last one perhaps only the beginning.

    ``text`` is what they were cut out of, for who cuts by rules of its own.
    """

    text: str
    forms: tuple[str, ...]
    prefix: bool = False

    def places_in(self, words: Sequence[Word]) -> list[tuple[int, int]]:
        """Return where this stands in a text: starts and ends in code points."""
        after = len(self.forms) - 1
        firsts = self.among([word.form for word in words])
        return [(words[first].start, words[first + after].end) for first in firsts]

    def among(self, forms: list[str]) -> list[int]:
        """Return which words of a text this begins with, each time that it stands there."""
        *whole, last = self.forms
        after = len(whole)
        found = [
            place - after
            for place, form in enumerate(forms)
            if (form.startswith(last) if self.prefix else form == last)
        ]
        return [first for first in found if first >= 0 and forms[first : first + after] == whole]


@dataclass(frozen=True)
class Wanted:
    """All of ``terms`` and none of ``not_terms``.

    ``in_vain``: something was typed, but there is no word in it, so no message has it.
    """

    terms: tuple[Term, ...] = ()
    not_terms: tuple[Term, ...] = ()
    in_vain: bool = False


def wanted_by(text: str) -> Wanted:
    """Read what somebody typed; what has no letter and no digit is passed over."""
    terms: list[Term] = []
    not_terms: list[Term] = []
    for found in _TERM.finditer(text):
        phrase, plain = found.group("phrase", "plain")
        prefix = phrase is None and plain.endswith("*")
        said = plain if phrase is None else phrase
        forms = tuple(forms_in(said))
        if forms:
            (not_terms if found.group("no") else terms).append(Term(said, forms, prefix))
    in_vain = bool(text.strip() and not terms and not not_terms)
    return Wanted(tuple(terms), tuple(not_terms), in_vain)
