"""Writes of how far one has read in a thread."""

import uuid

from api.codec import plain
from api.inbox.actions import settle
from api.log.append import Entry, append, lock, writing
from api.log.heads import head_of
from api.messages.models import Participant
from api.rooms import queries as rooms
from api.threads import queries
from api.threads.schemas import ThreadCounts


def mark_thread_read(
    *, user_id: uuid.UUID, root_id: uuid.UUID, seq: int, backward: bool = False
) -> ThreadCounts:
    """Note how far a person has read in a thread; above the room's head means the head.

    The counts go to the person's other devices too, if they moved. What they were told about
    the thread up to there is read. Who only reads does not follow the thread by that.

    Raises:
        NotFound: as ``queries.room_of_root``, or ``rooms.member_in``.
        PermissionDenied: as ``rooms.member_in``.
    """
    room_id = queries.room_of_root(root_id)
    with writing():
        lock(user_id)  # who removes this person has to wait for their stream as well
        rooms.member_in(room_id, user_id)
        before = queries.position(room_id, root_id, user_id)
        wanted = min(seq, head_of(room_id))
        moves = (
            before is None or wanted > before.read_seq or (backward and wanted < before.read_seq)
        )
        if moves:
            _keep(root_id, user_id, wanted)
        read_seq, unread_count, head = queries.kept_position(room_id, root_id, user_id)
        counts = ThreadCounts(root_id, read_seq, unread_count, head)
        moved = [_moved(user_id, counts)] if moves else []
        read = settle(user_id, queries.unread_notifications(user_id, root_id, read_seq))
        if moved or read:
            for event in append([*moved, *read])[: len(moved)]:
                event.show(counts)
    return counts


def _keep(root_id: uuid.UUID, user_id: uuid.UUID, seq: int) -> None:
    Participant.objects.bulk_create(
        [Participant(thread_id=root_id, user_id=user_id, read_seq=seq)],
        update_conflicts=True,  # they may be replying at this moment
        unique_fields=["thread_id", "user_id"],
        update_fields=["read_seq"],
    )


def _moved(user_id: uuid.UUID, counts: ThreadCounts) -> Entry:
    subject = ("thread", counts.message_id)
    return Entry(user_id, "thread.read", user_id, subject=subject, data=plain(counts))
