"""Writes of read markers."""

import uuid

from api.codec import plain
from api.inbox import queries as inbox
from api.inbox.actions import settle
from api.log.append import Entry, append, lock, writing
from api.log.heads import head_of
from api.rooms import queries as rooms
from api.rooms.models import Member
from api.sync import queries
from api.sync.schemas import Counts


def mark_read(
    *, user_id: uuid.UUID, room_id: uuid.UUID, seq: int, backward: bool = False
) -> Counts:
    """Note how far a person has read; above the head means the head.

    The counts go to the person's other devices too, if they changed.

    Raises:
        NotFound, PermissionDenied: as ``rooms.member_in``.
    """
    return mark_many_read(user_id=user_id, seqs={room_id: seq}, backward=backward)[0]


def mark_many_read(
    *, user_id: uuid.UUID, seqs: dict[uuid.UUID, int], backward: bool = False
) -> list[Counts]:
    """Note how far a person has read in several rooms, in one transaction.

    What they were told about messages up to there is read with them.

    Raises:
        NotFound, PermissionDenied: for one of the rooms; then nothing is written.
    """
    with writing():
        lock(user_id)  # who removes this person has to wait for their stream as well
        moved = [
            room_id
            for room_id, seq in sorted(seqs.items())  # as who sends in several rooms: 0006
            if _move(user_id, room_id, seq, backward)
        ]
        found = {counts.room_id: counts for _, counts in queries.memberships(user_id, seqs)}
        counts = {room_id: found[room_id] for room_id in seqs}
        markers = {room_id: found[room_id].read_seq for room_id in seqs}
        read = settle(user_id, inbox.unread_up_to(user_id, markers))
        if moved or read:
            events = append([*(_moved(user_id, counts[room_id]) for room_id in moved), *read])
            for event, room_id in zip(events, moved, strict=False):
                event.show(counts[room_id])
    return list(counts.values())


def _moved(user_id: uuid.UUID, counts: Counts) -> Entry:
    return Entry(
        user_id, "read.moved", user_id, subject=("read", counts.room_id), data=plain(counts)
    )


def _move(user_id: uuid.UUID, room_id: uuid.UUID, seq: int, backward: bool) -> bool:
    member = rooms.member_in(room_id, user_id)
    wanted = min(seq, head_of(room_id))
    if wanted == member.read_seq or (wanted < member.read_seq and not backward):
        return False
    Member.objects.filter(room_id=room_id, user_id=user_id).update(read_seq=wanted)
    return True
