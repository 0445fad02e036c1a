"""Keeping when those spoke whose next word may have to wait."""

import uuid
from collections import Counter
from collections.abc import Iterable
from operator import attrgetter

from django.conf import settings

from api.changes import Change
from api.rooms.models import Member

_spoken = Change(Member, "last_sent_at", "send_slot", key=("room_id", "user_id"))


def note_sent(members: Iterable[Member]) -> None:
    """Keep when those spoke who are limited, or speak in a slow room.

    A person's rows are locked in the order of the rooms, as by ``mark_many_read``.
    """
    limited = settings.LIMITS.sends is not None
    turns: list[list[Member]] = []
    rooms_of = Counter[uuid.UUID]()
    for member in sorted(members, key=attrgetter("room_id")):
        if limited or member.room.slow_mode_seconds:
            turn = rooms_of[member.user_id]
            rooms_of[member.user_id] += 1
            turns += [[]] if turn == len(turns) else []
            turns[turn].append(member)
    columns = attrgetter("room_id", "user_id", "last_sent_at", "send_slot")
    for turn_members in turns:
        _spoken.run([columns(member) for member in turn_members])
