"""What searching answers."""

from api.codec import Payload
from api.messages.schemas import MessageOut
from api.search.excerpts import Excerpt


class Range(Payload):
    """A part of a text, counted in Unicode code points."""

    offset: int
    length: int


class Highlight(Payload):
    """A part of the message's text, at most 200 code points, and what of it matches.

    It is text and no markup; offsets count from the beginning of this part.
    """

    text: str
    ranges: list[Range]


class Found(Payload):
    """A message as it is now, and where in it is what was looked for."""

    message: MessageOut
    highlight: Highlight


class FoundList(Payload):
    """Messages that were found: the newest first, or the best of the newest 1,000."""

    items: list[Found]
    next_cursor: str | None


def highlight(excerpt: Excerpt) -> Highlight:
    """Show an excerpt."""
    return Highlight(text=excerpt.text, ranges=[Range(*place) for place in excerpt.ranges])
