"""What people react with: one emoji of Unicode, or a name between colons. Pure.

The grammar is that of UTS #51 (unicode.org/reports/tr51), without a list of what has been
drawn so far: next year's emoji, and families that no font knows, are reactions as well.
"""

import re

import regex

from api.errors import InvalidRequest

EMOJI_LENGTH_MAX = 66  # code points: a name of 64; the longest emoji there is has 10

_NAME = re.compile(r":[a-z0-9_+-]{1,64}:")
_VARIATION = str.maketrans("", "", "\ufe0e\ufe0f")  # how it is drawn, not what it is

# Unassigned pictographs are emoji to be; which of them take a skin tone is not known yet.
_PICTURE = (
    r"(?:\p{Emoji_Modifier_Base}\p{Emoji_Modifier}|[\p{Emoji}&&\p{Extended_Pictographic}]"
    r"|[\p{Unassigned}&&\p{Extended_Pictographic}]\p{Emoji_Modifier}?)"
)
_EMOJI = regex.compile(
    r"(?V1)\p{Regional_Indicator}{2}"
    r"|[0-9#*]\u20e3"
    r"|\U0001f3f4[\U000e0030-\U000e0039\U000e0061-\U000e007a]{3,6}\U000e007f"  # England
    rf"|{_PICTURE}(?:\u200d{_PICTURE})*"
)
_DRAWN_AS_TEXT = regex.compile(r"(?V1)[\p{Emoji}--\p{Emoji_Presentation}](?!\p{Emoji_Modifier})")


def emoji_in(text: str) -> str:
    """Return the one way to write this emoji: with every variation selector that belongs to it.

    Raises:
        InvalidRequest: it is no emoji, or more than one.
    """
    if _NAME.fullmatch(text):
        return text
    bare = text.translate(_VARIATION)
    if _EMOJI.fullmatch(bare):
        emoji = _DRAWN_AS_TEXT.sub("\\g<0>\ufe0f", bare)
        if len(emoji) <= EMOJI_LENGTH_MAX:
            return emoji
    raise InvalidRequest.at("/emoji", "Neither one emoji nor a :name:.")
