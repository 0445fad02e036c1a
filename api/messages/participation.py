"""Who takes part in threads: kept with each reply, counted anew when replies are deleted.

All of it is written under the lock of the room's stream, so what is kept is what the rows of
the replies say. Reading it costs one statement for any number of threads of any length.
"""

import uuid
from collections.abc import Collection, Iterable
from typing import Any, NamedTuple

from django.db import connection
from django.db.models import Count, F, Max, Window
from django.db.models.functions import RowNumber

from api.changes import Change
from api.cursors import adapted
from api.messages.answering import Named
from api.messages.models import Message, Participant
from api.statements import Rows, among

FOLLOWERS_MAX = 200  # of a thread, who are told of a reply
PAIRS_MAX = 1_000  # that are counted anew in one statement


class Reply(NamedTuple):
    """What has just been said in a thread."""

    root: Named
    seq: int
    sender_id: uuid.UUID


_followers = Rows(
    lambda *pair: pair,
    lambda: (
        Participant.objects.filter(among("thread_id", "ids"), follows=True)
        .annotate(
            place=Window(RowNumber(), partition_by=F("thread_id"), order_by=("-last_seq", "user"))
        )
        .filter(place__lte=FOLLOWERS_MAX)
        .values_list("thread_id", "user_id")
    ),
)
_counted_anew = Change(Participant, "replies", "last_seq", key=("thread_id", "user_id"))


def followers_of(thread_ids: Collection[uuid.UUID]) -> dict[uuid.UUID | None, list[uuid.UUID]]:
    """Return who follows these threads: of each those who have spoken last, 200 at most."""
    found: dict[uuid.UUID | None, list[uuid.UUID]] = {}
    for thread_id, user_id in _followers.all(ids=list(thread_ids)) if thread_ids else ():
        found.setdefault(thread_id, []).append(user_id)
    return found


def note_replies(replies: Iterable[Reply]) -> None:
    """Keep who has replied, and that the roots' authors follow; the rooms are locked.

    Who is new begins to read behind their own reply, the author behind the root.
    """
    rows: dict[tuple[uuid.UUID, uuid.UUID], tuple[int, int, int]] = {}
    for root, seq, sender_id in replies:
        rows.setdefault((root.id, root.sender_id), (0, 0, root.seq))
        said, _, read_seq = rows.get((root.id, sender_id), (0, 0, seq))
        rows[root.id, sender_id] = (said + 1, seq, read_seq)
    if not rows:
        return
    values: list[Any] = []
    for (thread_id, user_id), (said, last_seq, read_seq) in sorted(rows.items()):
        values += (thread_id, user_id, said, last_seq, read_seq)
    places = ", ".join(["(%s, %s, %s, %s, %s, TRUE)"] * len(rows))
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO api_participant "  # noqa: S608  only placeholders
            "(thread_id, user_id, replies, last_seq, read_seq, follows) "
            f"VALUES {places} ON CONFLICT (thread_id, user_id) DO UPDATE "
            "SET replies = api_participant.replies + excluded.replies, "
            "last_seq = excluded.last_seq, follows = TRUE "
            "WHERE excluded.replies > 0 OR NOT api_participant.follows",
            adapted(values, connection),
        )
    _sum_up({thread_id for thread_id, _ in rows})


def count_anew(pairs: Iterable[tuple[uuid.UUID, uuid.UUID]]) -> None:
    """Count what these people, each with a thread, have still said in it; the rooms are locked."""
    ordered = sorted(pairs)
    for start in range(0, len(ordered), PAIRS_MAX):
        part = ordered[start : start + PAIRS_MAX]
        threads, people = {pair[0] for pair in part}, {pair[1] for pair in part}
        replies = Message.objects.filter(
            thread_id__in=threads, sender_id__in=people, deleted_at=None
        )
        left = {
            (thread_id, sender_id): counted
            for thread_id, sender_id, *counted in replies.values_list("thread_id", "sender_id")
            .annotate(Count("pk"), Max("seq"))
            .order_by()
        }
        _counted_anew.run([(*pair, *left.get(pair, (0, 0))) for pair in part])
        _sum_up(threads)


def _sum_up(thread_ids: Collection[uuid.UUID]) -> None:
    """Keep how many replies threads have, from what is kept of who takes part."""
    places = ", ".join(["%s"] * len(thread_ids))
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO api_thread (id, replies) "  # noqa: S608  only placeholders
            f"SELECT thread_id, SUM(replies) FROM api_participant WHERE thread_id IN ({places}) "
            "GROUP BY thread_id ON CONFLICT (id) DO UPDATE SET replies = excluded.replies",
            adapted(thread_ids, connection),
        )
