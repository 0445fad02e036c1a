"""Reads of moderators, each with the permission for it; to be read in one snapshot."""

import uuid
from collections.abc import Sequence
from datetime import datetime
from typing import cast

from django.db.models import Q, QuerySet

from accounts.queries import people_by_id
from accounts.schemas import person
from api.audit.models import AuditEntry
from api.audit.queries import entries_before
from api.codec import instant, instant_or_none
from api.messages.queries import messages_with
from api.moderation.models import Report
from api.moderation.schemas import (
    AuditOut,
    BanOut,
    FilterAction,
    FilterOut,
    MuteOut,
    ReportOut,
    Resolution,
)
from api.rooms import permissions
from api.rooms import queries as rooms
from api.rooms.models import Ban, Filter, Kind, Member, Mute, Role


def bans_after(
    room_id: uuid.UUID, cursor: uuid.UUID | None, limit: int, *, at: datetime
) -> list[Ban]:
    """Return the bans that hold at a time, in the order of the people's ids."""
    holds = Ban.objects.filter(Q(until=None) | Q(until__gt=at), room_id=room_id)
    if cursor is not None:
        holds = holds.filter(user_id__gt=cursor)
    return list(holds.select_related("user").order_by("user_id")[:limit])


def mutes_after(
    room_id: uuid.UUID, cursor: uuid.UUID | None, limit: int, *, at: datetime
) -> list[Mute]:
    """Return the mutes that hold at a time, in the order of the people's ids."""
    holds = Mute.objects.filter(Q(until=None) | Q(until__gt=at), room_id=room_id)
    if cursor is not None:
        holds = holds.filter(user_id__gt=cursor)
    return list(holds.select_related("user").order_by("user_id")[:limit])


def check_reads(room_id: uuid.UUID, user_id: uuid.UUID, role: Role) -> None:
    """Let those read who have this role in a room.

    Raises:
        NotFound, PermissionDenied: as ``rooms.member_in``, or too low a role.
    """
    permissions.check_at_least(rooms.member_in(room_id, user_id), role)


def audit_of(room_id: uuid.UUID, cursor: uuid.UUID | None, limit: int) -> list[AuditOut]:
    """Return what was done in a room, the newest first.

    Raises:
        InvalidRequest: the cursor is none of this room's.
    """
    return _audit_shown(entries_before(room_id, cursor, limit))


def filter_shown(room_id: uuid.UUID) -> FilterOut:
    """Return the word filter of a room, empty where there is none."""
    found = Filter.objects.filter(pk=room_id).first() or Filter()
    return FilterOut(words=found.words, action=cast(FilterAction, found.action))


def reports_before(
    user_id: uuid.UUID, cursor: uuid.UUID | None, limit: int, *, is_open: bool
) -> list[Report]:
    """Return reports in rooms where this person moderates, the newest first, after the cursor's."""
    moderated = Member.objects.filter(user_id=user_id, role__gte=Role.MODERATOR)
    found = Report.objects.filter(
        room_id__in=moderated.values("room_id"), resolved_at__isnull=is_open
    )
    if cursor is not None:
        found = found.filter(pk__lt=cursor)
    return list(found.order_by("-pk")[:limit])


def unmoderated_reports() -> QuerySet[Report]:
    """Return what was reported in direct rooms, where there are no moderators."""
    return Report.objects.filter(room__kind=Kind.DIRECT)


def reports_shown(reports: Sequence[Report]) -> list[ReportOut]:
    """Show reports to moderators, with the messages and people as they are now."""
    messages = {found.id: found for found in messages_with({item.message_id for item in reports})}
    people = people_by_id(
        user_id for report in reports for user_id in (report.reporter_id, report.resolver_id)
    )
    return [
        ReportOut(
            id=report.id,
            room_id=report.room_id,
            message=messages[report.message_id],
            reporter=people[report.reporter_id],
            reason=report.reason,
            created_at=instant(report.created_at),
            resolved_at=instant_or_none(report.resolved_at),
            resolver=people[report.resolver_id] if report.resolver_id else None,
            action=cast(Resolution | None, report.action),
            note=report.note,
        )
        for report in reports
    ]


def bans_shown(bans: Sequence[Ban]) -> list[BanOut]:
    """Show bans to moderators."""
    actors = people_by_id(ban.actor_id for ban in bans)
    return [
        BanOut(
            user=person(ban.user),
            until=instant_or_none(ban.until),
            reason=ban.reason,
            actor=actors.get(ban.actor_id) if ban.actor_id else None,
            created_at=instant(ban.created_at),
        )
        for ban in bans
    ]


def mutes_shown(mutes: Sequence[Mute]) -> list[MuteOut]:
    """Show mutes to moderators."""
    actors = people_by_id(mute.actor_id for mute in mutes)
    return [
        MuteOut(
            user=person(mute.user),
            until=instant_or_none(mute.until),
            actor=actors.get(mute.actor_id) if mute.actor_id else None,
            created_at=instant(mute.created_at),
        )
        for mute in mutes
    ]


def _audit_shown(entries: Sequence[AuditEntry]) -> list[AuditOut]:
    people = people_by_id(
        user_id for entry in entries for user_id in (entry.actor_id, entry.user_id)
    )
    return [
        AuditOut(
            id=entry.id,
            seq=entry.seq,
            at=instant(entry.at),
            action=entry.action,
            actor=people[entry.actor_id] if entry.actor_id else None,
            user=people[entry.user_id] if entry.user_id else None,
            message_id=entry.message_id,
            reason=entry.reason,
            details=entry.details,
        )
        for entry in entries
    ]
