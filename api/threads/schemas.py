"""What threads look like on the wire."""

import uuid

from api.codec import Body, Payload, Seq
from api.messages.schemas import MessageList, MessageOut


class ReadThread(Body):
    """Read up to ``seq``, a number of the room; backwards only when it is said."""

    seq: Seq
    backward: bool = False


class ThreadCounts(Payload):
    """How far one has read in a thread, and what is left, as it was at ``head`` of the room.

    ``message_id`` is the root's. Exact up to 1,000, and 1,000 above.
    """

    message_id: uuid.UUID
    read_seq: int
    unread_count: int
    head: int


class Replies(MessageList):
    """Replies numbered ``from`` to ``to``, as they stood at ``head``, and how far one is.

    Both null for who has neither replied, nor written the root, nor said how far they are.
    """

    read_seq: int | None
    unread_count: int | None


class FollowedThread(Payload):
    """A thread, the newest reply in it, and how far one is, as it was at ``head`` of its room."""

    root: MessageOut
    last_reply: MessageOut
    read_seq: int
    unread_count: int
    head: int


class FollowedThreads(Payload):
    """Threads that one follows, in the order of their newest replies, the newest first."""

    items: list[FollowedThread]
    next_cursor: str | None
