"""What blocks look like on the wire."""

from accounts.schemas import Person, person
from api.blocks.models import Block
from api.codec import Instant, Payload, instant


class BlockOut(Payload):
    """Whom one has blocked, and since when."""

    user: Person
    created_at: Instant


class BlockList(Payload):
    """Whom one has blocked, in the order of their ids."""

    items: list[BlockOut]
    next_cursor: str | None


def block_out(block: Block) -> BlockOut:
    """Show a block, with ``blocked`` loaded, to the one whose it is."""
    return BlockOut(user=person(block.blocked), created_at=instant(block.created_at))
