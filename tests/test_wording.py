"""Finding words that are not wanted: however they are written, whole words only.

What a naive form does, and fails here: ``lower()`` and ``\\b``, which know neither what Unicode
writes in several ways nor scripts without spaces, and take a mark for the end of a word.
"""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.rooms.wording import Unwanted, spelling

FOUND = [  # the word, a text, what becomes of it
    ("bad", "a BAD day", "a *** day"),
    ("bad", "bad, Bad; _bad_ 'bad' bad's", "***, ***; _***_ '***' ***'s"),
    ("straße", "die STRASSE hier", "die ******* hier"),
    ("strasse", "die Straße hier", "die ****** hier"),
    ("café", "un cafe\u0301!", "un *****!"),
    ("cafe\u0301", "un CAFÉ!", "un ****!"),
    ("bad", "\uff42\uff41\uff44 \U0001d41b\U0001d41a\U0001d41d \u24d1\u24d0\u24d3", "*** *** ***"),
    ("bad", "b\u00ada\u200bd", "*****"),
    *(
        ("bad", f"b{unseen}ad", "*" * (3 + len(unseen)))
        for unseen in (
            *("\u034f", "\u115f", "\u3164", "\uffa0", "\u17b4", "\u180b", "\u2065", "\ufff3"),
            *("\U000e0100", "\U000e0fff", "\x01", "\x7f", "\x9f", "\u200d\U000e0041"),
        )
    ),
    ("office", "an oﬃce", "an ****"),
    ("ΟΔΟΣ", "η οδός οδος", "η οδός ****"),
    ("İstanbul", "i\u0307stanbul", "*********"),
    ("हिन्दी", "यह हिन्दी है", "यह ****** है"),
    ("плохо", "Очень ПЛОХО.", "Очень *****."),
    ("坏", "这个坏人", "这个*人"),
    ("คำหยาบ", "นี่คือคำหยาบนะ", "นี่คือ******นะ"),
    ("คำ", "น้คำ", "น้**"),
    ("c++", "I like C++.", "I like ***."),
    ("f*ck", "oh F*CK!", "oh ****!"),
    ("very bad", "a very bad day", "a ******** day"),
    ("😡", "no 😡 no", "no * no"),
    ("❤", "so ❤\ufe0f", "so *\ufe0f"),
]
NOT_FOUND = [
    *(("bad", "badge forbad xbadx bad2 2bad"), ("cafe", "un café"), ("cafe", "un cafe\u0301")),
    *(
        ("ass", "classic Straße"),
        ("हिन", "यह हिन्दी है"),
        ("c", "c\u0327a"),
        *(("very bad", "very  bad"), ("bad", "b\tad"), ("bad", "b\x85ad"), ("bad", "b\u2800ad")),
    ),
    *(("c++", "abc++"), ("ค", "คำ"), ("bad", "")),
]


@pytest.mark.parametrize(("word", "text", "hidden"), FOUND)
def test_a_word_is_found_however_it_is_written(word: str, text: str, hidden: str) -> None:
    unwanted = Unwanted(["else", word])
    assert unwanted.is_in(text)
    assert unwanted.hidden(text) == hidden


@pytest.mark.parametrize(("word", "text"), NOT_FOUND)
def test_a_part_of_another_word_is_none(word: str, text: str) -> None:
    unwanted = Unwanted([word])
    assert not unwanted.is_in(text)
    assert unwanted.hidden(text) == text


def test_the_longer_of_two_words_is_hidden_whole() -> None:
    unwanted = Unwanted(["bad", "bad word", "bad word too long"])
    assert unwanted.hidden("bad word too; bad") == "******** too; ***"


def test_what_nobody_sees_spells_nothing() -> None:
    assert spelling("\u200b\u00ad\ufe0f\u034f\u3164\U000e0101\x02") == spelling("\x02") == ""


@given(st.lists(st.text(min_size=1), min_size=1, max_size=5), st.text(), st.data())
def test_what_is_hidden_keeps_its_length_and_is_gone(
    words: list[str], text: str, data: st.DataObject
) -> None:
    seen = [word.strip() for word in words if spelling(word).strip()]
    if not seen:
        return
    unwanted = Unwanted(seen)
    said = f"{text} {data.draw(st.sampled_from(seen))} {text}"
    hidden = unwanted.hidden(said)
    assert len(hidden) == len(said)
    assert all(new in (old, "*") for old, new in zip(said, hidden, strict=True))
    assert unwanted.is_in(said) == (hidden != said) or "*" in said
