"""What a line of an export looks like."""

from datetime import UTC, datetime
from typing import Annotated

import msgspec
from msgspec.structs import force_setattr

from accounts.usernames import normalized
from api.codec import Body, Seq

KEY_LENGTH_MAX = 100  # characters: of a room's name, and of a person's as it is compared

Name = Annotated[str, msgspec.Meta(min_length=1, max_length=KEY_LENGTH_MAX, pattern=r"\S")]


class Line(Body, rename={"sender": "from"}):
    """A message: ``n`` is its place in its room, ``reply_to`` the place of the one it answers.

    ``at`` is RFC 3339 with any offset; here it is UTC, in whole milliseconds.
    """

    room: Name
    n: Seq
    at: Annotated[datetime, msgspec.Meta(tz=True)]
    sender: Name
    text: str
    reply_to: Seq | None

    def __post_init__(self) -> None:
        try:
            moment = self.at.astimezone(UTC)
        except OverflowError:
            raise ValueError("'at' is outside the years 1 to 9999") from None
        milliseconds = moment.microsecond // 1000
        force_setattr(self, "at", moment.replace(microsecond=milliseconds * 1000))
        if len(self.person_key) > KEY_LENGTH_MAX:
            raise ValueError(f"'from' has more than {KEY_LENGTH_MAX} characters")

    @property
    def person_key(self) -> str:
        """Who says it: the nickname as names are compared, so that case makes nobody new."""
        return normalized(self.sender.strip())
