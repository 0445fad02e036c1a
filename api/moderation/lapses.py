"""Timed work: bans and mutes whose time has come are lifted, by nobody.

Who was banned or muted is free at that instant, by comparison; what is written here tells the
others of it, a little later.
"""

import uuid
from collections.abc import Callable
from datetime import datetime

from django.db.models import QuerySet

from api.apart import each_apart
from api.audit.actions import record
from api.log.append import Entry, append, lock, writing
from api.moderation.mutes import until_when
from api.rooms.membership import about_outsider
from api.rooms.models import Ban, Member, Mute
from api.rooms.schemas import member_out, outsider

ROOMS_AT_ONCE = 1_000  # in one turn; the next one follows
PEOPLE_AT_ONCE = 100  # of one room, in one transaction


def lapse_bans(moment: datetime) -> None:
    """Lift the bans that are over."""
    _by_room(Ban.objects.filter(until__lte=moment), _lapse_bans_in)


def lapse_mutes(moment: datetime) -> None:
    """Lift the mutes that are over."""
    _by_room(Mute.objects.filter(until__lte=moment), _lapse_mutes_in)


def _by_room(due: QuerySet[Ban] | QuerySet[Mute], lapse: Callable[..., None]) -> None:
    rooms = due.filter(room__deleted_at=None).order_by("room_id")

    def lapse_in(room_id: uuid.UUID) -> None:
        with writing():
            lock(room_id)
            lapse(room_id, due.filter(room_id=room_id, room__deleted_at=None))

    some = rooms.values_list("room_id", flat=True).distinct()[:ROOMS_AT_ONCE]
    each_apart(list(some), lapse_in)


def _lapse_bans_in(room_id: uuid.UUID, due: QuerySet[Ban]) -> None:
    bans = list(due.select_related("user").order_by("until")[:PEOPLE_AT_ONCE])
    if not bans:
        return
    entries = [about_outsider(room_id, ban.user, "member.unbanned", actor_id=None) for ban in bans]
    for ban, event in zip(bans, append(entries), strict=True):
        event.show(outsider(ban.user))
        record(event, user_id=ban.user_id)
        ban.delete()


def _lapse_mutes_in(room_id: uuid.UUID, due: QuerySet[Mute]) -> None:
    mutes = list(due.order_by("until")[:PEOPLE_AT_ONCE])
    user_ids = [mute.user_id for mute in mutes]
    members = Member.objects.filter(room_id=room_id, user_id__in=user_ids)
    freed = list(members.select_related("room", "user"))
    entries: list[Entry] = [until_when(member, None, actor_id=None) for member in freed]
    for member, event in zip(freed, append(entries) if entries else [], strict=True):
        event.show(member_out(member, member.user))
        record(event, user_id=member.user_id)
    members.update(muted_until=None)
    Mute.objects.filter(room_id=room_id, user_id__in=user_ids).delete()
