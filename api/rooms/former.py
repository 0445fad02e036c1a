"""What is remembered of members who have gone, so that leaving and coming back sheds nothing.

How fast one may send, and whether one may only read, stand on the membership: they would end
with it. Bans and mutes are kept beside it (docs/decisions/0020).
"""

import uuid
from collections.abc import Sequence
from datetime import datetime, timedelta

from django.db.models import Q

from api.rooms.models import Former, Member, Role, Room
from api.rooms.schemas import SLOW_MODE_MAX

PACE_KEPT = timedelta(seconds=SLOW_MODE_MAX)  # by then nobody has to wait for having sent


def remember(member: Member) -> None:
    """Keep of a member who goes what is to hold when they come back; the room is locked."""
    reader = member.role == Role.READER
    if reader or member.last_sent_at is not None:
        Former.objects.update_or_create(
            room_id=member.room_id,
            user_id=member.user_id,
            defaults={
                "reader": reader,
                "last_sent_at": member.last_sent_at,
                "send_slot": member.send_slot,
            },
        )


def recall(room: Room, newcomers: Sequence[Member], *, actor_id: uuid.UUID) -> None:
    """Give those who come back what they had; a role is given anew by somebody else alone."""
    were = Former.objects.filter(room=room, user__in=[member.user_id for member in newcomers])
    before = {former.user_id: former for former in were}
    for member in newcomers:
        former = before.get(member.user_id)
        if former is not None:
            member.last_sent_at, member.send_slot = former.last_sent_at, former.send_slot
            if former.reader and member.user_id == actor_id:
                member.role = Role.READER
    if before:
        were.delete()


def forget_former(moment: datetime) -> None:
    """Forget of those who have gone what would hold nobody up any more; run by the upkeep."""
    sent_lately = Q(last_sent_at__gt=moment - PACE_KEPT)
    Former.objects.filter(reader=False).exclude(sent_lately).delete()
