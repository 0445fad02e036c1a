"""What receipts look like on the wire."""

from accounts.schemas import Person
from api.codec import Payload


class Reader(Payload):
    """Somebody who has read a message."""

    user: Person


class ReaderList(Payload):
    """Who has read a message, in the order of their ids; without who hides that."""

    items: list[Reader]
    next_cursor: str | None
