"""Reads of blocks."""

import uuid
from collections.abc import Collection, Sequence
from typing import Any

from accounts.queries import people_by_id
from api.blocks.models import Block
from api.blocks.schemas import BlockOut, block_out
from api.codec import Payload
from api.log.reading import Recorded
from api.statements import Rows, among

_blocks = Rows(
    lambda *pair: pair,
    lambda: Block.objects.filter(
        among("blocker_id", "blockers"), among("blocked_id", "blocked")
    ).values_list("blocker_id", "blocked_id"),
)


def blockers_among(user_ids: Collection[uuid.UUID], sender_id: uuid.UUID) -> set[uuid.UUID]:
    """Return who of these people does not want to hear from this one."""
    blocks = Block.objects.filter(blocker_id__in=user_ids, blocked_id=sender_id)
    return set(blocks.values_list("blocker_id", flat=True))


def blocks_among(pairs: Collection[tuple[uuid.UUID, uuid.UUID]]) -> set[Any]:
    """Return those of these pairs of which the first has blocked the second, in one query."""
    if not pairs:
        return set()
    blockers, blocked = zip(*pairs, strict=True)
    found = _blocks.all(blockers=list(set(blockers)), blocked=list(set(blocked)))
    return set(found) & set(pairs)


def blocks_of(
    blocker_id: uuid.UUID, after: uuid.UUID | None = None, limit: int | None = None
) -> list[Block]:
    """Return whom a person has blocked, in the order of their ids, with ``blocked`` loaded."""
    found = Block.objects.filter(blocker_id=blocker_id).select_related("blocked")
    if after is not None:
        found = found.filter(blocked_id__gt=after)
    return list(found.order_by("blocked_id")[:limit])


def blocks_shown(blocker_id: uuid.UUID) -> list[BlockOut]:
    """Return all that a person has blocked, within ``sync``."""
    return [block_out(block) for block in blocks_of(blocker_id)]


def blocks_as_written(events: Sequence[Recorded]) -> dict[tuple[uuid.UUID, int], Payload]:
    """Show what became of blocks, with the people as they are now."""
    people = people_by_id(event.subject_id for event in events)
    return {
        (event.stream_id, event.seq): BlockOut(
            user=people[event.subject_id], created_at=event.data["created_at"]
        )
        for event in events
    }
