"""Writes of reports: a message is shown to the moderators, and one of them decides."""

import uuid

from api.audit.actions import record, without_event
from api.clock import now
from api.errors import Conflict, NotFound
from api.inbox.notices import tell
from api.log.append import lock, writing
from api.messages.actions import delete_message
from api.messages.models import Message
from api.messages.queries import room_of
from api.moderation.models import Report
from api.moderation.queries import unmoderated_reports
from api.moderation.schemas import Resolution
from api.rooms import permissions
from api.rooms import queries as rooms
from api.rooms.models import Member, Role


def report_message(
    *, reporter_id: uuid.UUID, message_id: uuid.UUID, reason: str
) -> tuple[Report, bool]:
    """Show a message to the moderators of its room; tell whether it is this person's first report.

    A direct room has none: operators look at what is reported there (``manage.py reports``).

    Raises:
        NotFound, PermissionDenied: as ``rooms.member_in``, no such message, or deleted.
        RoomArchived: nothing changes in it.
    """
    room_id = room_of(message_id)
    with writing():
        lock(room_id)
        member = rooms.member_in(room_id, reporter_id)
        present = Report.objects.filter(message_id=message_id, reporter_id=reporter_id).first()
        if present is not None:
            return present, False
        if not Message.objects.filter(pk=message_id, deleted_at=None).exists():
            raise NotFound("The message has been deleted.")
        permissions.check_not_archived(member.room)
        report = Report.objects.create(
            room_id=room_id, message_id=message_id, reporter_id=reporter_id, reason=reason
        )
        _tell_moderators(report, member)
    return report, True


def resolve_report(
    *, actor_id: uuid.UUID, report_id: uuid.UUID, action: Resolution, note: str | None
) -> Report:
    """Decide about a report; ``deleted`` deletes the message, if nobody has.

    In an archived room too, where nothing can be deleted: the decision is none of its changes.

    Raises:
        NotFound, PermissionDenied: as ``rooms.member_in``, no such report, no moderator, or
            the message is of an equal or higher role.
        RoomArchived: of ``deleted``.
        Conflict: somebody has decided otherwise.
    """
    report = Report.objects.filter(pk=report_id).first()
    if report is None:
        raise NotFound
    _check_decides(report, actor_id)
    if action == "deleted" and report.action is None:
        delete_message(actor_id=actor_id, message_id=report.message_id)
    with writing():
        head = lock(report.room_id)
        _check_decides(report, actor_id)
        report, decided = _decided(report_id, action, note, actor_id)
        if decided:
            record(
                without_event(report.room_id, "report.resolved", actor_id, head=head),
                user_id=report.message.sender_id,
                message_id=report.message_id,
                reason=report.note,
                details={"report_id": str(report.id), "action": action},
            )
    return report


def resolve_unmoderated(*, report_id: uuid.UUID, action: Resolution, note: str | None) -> Report:
    """Decide as an operator about a report from a direct room, which has no moderators.

    Raises:
        NotFound: there is no such report from a direct room.
        Conflict: somebody has decided otherwise.
    """
    report = unmoderated_reports().filter(pk=report_id).first()
    if report is None:
        raise NotFound("There is no such report from a direct room.")
    with writing():
        lock(report.room_id)
        return _decided(report_id, action, note, None)[0]


def _decided(
    report_id: uuid.UUID, action: Resolution, note: str | None, resolver_id: uuid.UUID | None
) -> tuple[Report, bool]:
    """Note what is decided, in a locked room; tell whether nobody had decided so before."""
    report = Report.objects.select_related("message").get(pk=report_id)
    if report.action is not None:
        if report.action != action:
            raise Conflict("Somebody has decided about it already.")
        return report, False
    report.action, report.note, report.resolver_id = action, note or None, resolver_id
    report.resolved_at = now()
    report.save()
    return report, True


def _check_decides(report: Report, actor_id: uuid.UUID) -> None:
    permissions.check_at_least(rooms.member_in(report.room_id, actor_id), Role.MODERATOR)


def _tell_moderators(report: Report, member: Member) -> None:
    tell(
        rooms.moderators(report.room_id, but=member.user_id),
        at=report.created_at,
        kind="report",
        text=f"A message in {member.room.name} has been reported.",
        data={"report_id": str(report.id)},
        room_id=report.room_id,
        message_id=report.message_id,
    )
