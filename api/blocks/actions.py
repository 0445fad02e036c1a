"""Writes of blocks: told to the other devices of the one whose they are, and to nobody else."""

import uuid

from accounts.erasure import none_is_erased
from accounts.models import User
from api.blocks.models import Block
from api.blocks.schemas import block_out
from api.clock import now
from api.errors import InvalidRequest, LimitReached, NotFound
from api.log.append import Entry, append, lock, writing

BLOCKS_MAX = 1_000  # of one person: all of them are in ``sync``


def block_user(*, blocker_id: uuid.UUID, blocked_id: uuid.UUID) -> tuple[Block, bool]:
    """Block a person; tell whether they were not blocked before.

    Raises:
        InvalidRequest: nobody blocks themselves.
        NotFound: there is no such person (any more).
        LimitReached: too many are blocked already.
    """
    if blocked_id == blocker_id:
        raise InvalidRequest("Nobody blocks themselves.")
    with writing():
        lock(blocker_id, begin=True)
        mine = Block.objects.filter(blocker_id=blocker_id)
        present = mine.filter(blocked_id=blocked_id).select_related("blocked").first()
        if present is not None:
            return present, False
        if not none_is_erased([blocker_id, blocked_id]):
            raise NotFound
        if mine.count() >= BLOCKS_MAX:
            raise LimitReached(f"At most {BLOCKS_MAX} people.")
        blocked = User.objects.get(pk=blocked_id)
        block = Block(blocker_id=blocker_id, blocked=blocked, created_at=now())
        block.save(force_insert=True)
        _tell("block.added", block)
    return block, True


def unblock_user(*, blocker_id: uuid.UUID, blocked_id: uuid.UUID) -> None:
    """Hear from a person again; from whom one does anyway, nothing changes."""
    with writing():
        lock(blocker_id)
        found = Block.objects.filter(blocker_id=blocker_id, blocked_id=blocked_id)
        block = found.select_related("blocked").first()
        if block is not None:
            found.delete()
            _tell("block.removed", block)


def _tell(event_type: str, block: Block) -> None:
    shown = block_out(block)
    entry = Entry(
        block.blocker_id,
        event_type,
        block.blocker_id,
        subject=("block", block.blocked_id),
        data={"created_at": shown.created_at},
    )
    append([entry])[0].show(shown)
