"""What people may react with: one emoji, whatever it is made of, or a name between colons."""

import emoji as unicode
import pytest

from api.errors import InvalidRequest
from api.messages.emoji import emoji_in

WHOLE = unicode.STATUS["fully_qualified"]
PART = unicode.STATUS["component"]
SKIN_TONES = {chr(point) for point in range(0x1F3FB, 0x1F400)}


def test_every_emoji_of_unicode_is_one_and_is_written_in_one_way() -> None:
    known = {text: data["status"] for text, data in unicode.EMOJI_DATA.items()}
    written = {text: emoji_in(text) for text in known.keys() - SKIN_TONES}
    assert len(written) > 5_000
    assert [
        text for text, status in known.items() if status == WHOLE and written[text] != text
    ] == []
    astray = [
        text for text, status in known.items() if status != PART and known[written[text]] != WHOLE
    ]
    assert astray == []


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("❤", "❤\ufe0f"),
        ("❤\ufe0e", "❤\ufe0f"),
        ("👍\ufe0f", "👍"),
        ("1\u20e3", "1\ufe0f\u20e3"),
        ("#\ufe0f\u20e3", "#\ufe0f\u20e3"),
        ("🕵🏽\u200d♀", "🕵🏽\u200d♀\ufe0f"),
        ("🇩🇪", "🇩🇪"),
        ("👨🏿\u200d👩🏻\u200d👦🏽", "👨🏿\u200d👩🏻\u200d👦🏽"),  # no font draws it yet
        ("\U0001f02c", "\U0001f02c"),  # a place that Unicode keeps for an emoji
        (":+1:", ":+1:"),
        (":" + "a" * 64 + ":", ":" + "a" * 64 + ":"),
        (":party_parrot-2:", ":party_parrot-2:"),
    ],
)
def test_variations_of_an_emoji_are_the_same(text: str, written: str) -> None:
    assert emoji_in(text) == emoji_in(written) == written


@pytest.mark.parametrize(
    "text",
    [
        *("", " ", "a", "1", "#", "ok", "é", "★", "\ufe0f", "\u200d", "\u20e3"),
        *(
            "👍👍",
            "👍 ",
            " 👍",
            "👍a",
            "🇩",
            "🇩🇪🇫🇷",
            "👍\u200d",
            "\u200d👍",
            "👍\u0301",
            "🏿",
            "🚗🏿",
        ),
        *("🏴\U000e0067\U000e0062", "👍\U000e0067\U000e0062\U000e0065\U000e007f"),
        *("::", ":A:", ":a b:", ":" + "a" * 65 + ":", ":a", ":é:", ":a:\n", "❤\ufe0f" * 2),
        "👩" + "\u200d👩" * 33,
    ],
)
def test_what_is_not_one_emoji_is_refused(text: str) -> None:
    with pytest.raises(InvalidRequest) as refused:
        emoji_in(text)
    assert [fault.pointer for fault in refused.value.errors] == ["/emoji"]
