"""What moderators send and see."""

import uuid
from typing import Annotated, Any, Literal

import msgspec

from accounts.schemas import Person
from api.codec import Body, Instant, Moment, Payload, instant, instant_or_none
from api.messages.schemas import MessageFact
from api.moderation.models import Report
from api.rooms.schemas import Reason

Word = Annotated[str, msgspec.Meta(min_length=1, max_length=64)]
FilterAction = Literal["block", "mask"]
Resolution = Literal["dismissed", "deleted", "handled"]


class BanPerson(Body):
    """Until when, or until it is lifted, and why; only moderators see the reason."""

    until: Moment | None = None
    reason: Reason | None = None


class MuteMember(Body):
    """Until when, or until it is lifted."""

    until: Moment | None = None


class BanOut(Payload):
    """Who is not let in; ``actor`` banned them."""

    user: Person
    until: Instant | None
    reason: str | None
    actor: Person | None
    created_at: Instant


class BanList(Payload):
    """Who is not let in, in the order of their ids."""

    items: list[BanOut]
    next_cursor: str | None


class MuteOut(Payload):
    """Who may not write; ``actor`` muted them. They may have left since: it waits for them."""

    user: Person
    until: Instant | None
    actor: Person | None
    created_at: Instant


class MuteList(Payload):
    """Who may not write, in the order of their ids."""

    items: list[MuteOut]
    next_cursor: str | None


class SetFilter(Body):
    """Words that are not wanted: refused, or hidden behind asterisks. None: no filter."""

    words: Annotated[list[Word], msgspec.Meta(max_length=500)]
    action: FilterAction


class FilterOut(Payload):
    """The words that are not wanted in a room, and what becomes of them."""

    words: list[str]
    action: FilterAction


class ReportMessage(Body):
    """Why moderators should look at it."""

    reason: Annotated[str, msgspec.Meta(min_length=1, max_length=500, pattern=r"\S")]


class ReportFiled(Payload):
    """A report as the one who made it sees it."""

    id: uuid.UUID
    room_id: uuid.UUID
    message_id: uuid.UUID
    reason: str
    created_at: Instant
    resolved_at: Instant | None


def report_filed(report: Report) -> ReportFiled:
    """Show a report to the one who made it."""
    return ReportFiled(
        id=report.id,
        room_id=report.room_id,
        message_id=report.message_id,
        reason=report.reason,
        created_at=instant(report.created_at),
        resolved_at=instant_or_none(report.resolved_at),
    )


class ResolveReport(Body):
    """What was decided. `deleted` deletes the message; `handled`: something else was done."""

    action: Resolution
    note: Reason | None = None


class ReportOut(Payload):
    """A report as moderators see it; the message as it is now."""

    id: uuid.UUID
    room_id: uuid.UUID
    message: MessageFact
    reporter: Person
    reason: str
    created_at: Instant
    resolved_at: Instant | None
    resolver: Person | None
    action: Resolution | None
    note: str | None


class ReportList(Payload):
    """Reports, the newest first."""

    items: list[ReportOut]
    next_cursor: str | None


class AuditOut(Payload):
    """What was done: by whom, to whom, why.

    ``action`` is the type of the event that has the number ``seq``; what has no event in the
    room (`filter.updated`, `report.resolved`, `request.refused`, `invite.revoked`,
    `member.unmuted` of who is not there) was done when the room's head was ``seq``.
    Nobody did it: its time had come.
    """

    id: uuid.UUID
    seq: int
    at: Instant
    action: str
    actor: Person | None
    user: Person | None
    message_id: uuid.UUID | None
    reason: str | None
    details: dict[str, Any] | None


class AuditList(Payload):
    """What was done in a room, the newest first."""

    items: list[AuditOut]
    next_cursor: str | None
