"""The lines of an export: each says of what kind it is."""

import uuid
from typing import Literal

from accounts.models import Presence, Session
from accounts.schemas import PresenceChoice
from api.codec import Instant, Payload, instant, instant_or_none
from api.messages.models import Participant
from api.rooms.models import Member
from api.rooms.schemas import NotificationLevel, RoleName, role_name
from api.uploads.models import Upload
from api.uploads.schemas import Attachment


class Begun(Payload):
    """The first line: whose data it is, and when it was asked for."""

    user_id: uuid.UUID
    at: Instant


class Ended(Payload):
    """The last line: an export without it was cut off. ``lines``: how many came before it."""

    lines: int


class KeptSession(Payload):
    """A device that has signed in, also one that has signed out since."""

    id: uuid.UUID
    device: str
    address: str
    created_at: Instant
    last_used_at: Instant
    revoked_at: Instant | None


class Membership(Payload):
    """A room that one is in, and one's own settings for it."""

    room_id: uuid.UUID
    name: str | None
    kind: Literal["public", "private", "direct"]
    role: RoleName
    joined_at: Instant
    muted_until: Instant | None
    read_seq: int
    notification_level: NotificationLevel
    notifications_muted_until: Instant | None
    favourite: bool
    hidden_seq: int | None


class KeptPresence(PresenceChoice):
    """How one wants to be seen, and when one last was."""

    last_seen_at: Instant | None


class ReadThread(Payload):
    """A thread, by the message it began with, that one has read or takes part in."""

    message_id: uuid.UUID
    read_seq: int
    follows: bool


class GivenReaction(Payload):
    """An emoji that one has given."""

    message_id: uuid.UUID
    room_id: uuid.UUID
    emoji: str


class SentFile(Attachment):
    """A file that one has sent; what uses it, if something does."""

    created_at: Instant
    room_id: uuid.UUID | None
    message_id: uuid.UUID | None


class Line(Payload):
    """A line of an export."""

    type: str
    data: Payload


def kept_session(session: Session) -> KeptSession:
    """Show a session without what authenticates it."""
    return KeptSession(
        id=session.id,
        device=session.device,
        address=session.address,
        created_at=instant(session.created_at),
        last_used_at=instant(session.last_used_at),
        revoked_at=instant_or_none(session.revoked_at),
    )


def membership(member: Member) -> Membership:
    """Show a membership, with ``room`` loaded, to the one whose it is."""
    return Membership(
        room_id=member.room_id,
        name=member.room.name,
        kind=member.room.kind,  # type: ignore[arg-type]  # the column has these three
        role=role_name(member.role),
        joined_at=instant(member.joined_at),
        muted_until=instant_or_none(member.muted_until),
        read_seq=member.read_seq,
        notification_level=member.notification_level,  # type: ignore[arg-type]  # as above
        notifications_muted_until=instant_or_none(member.notifications_muted_until),
        favourite=member.favourite,
        hidden_seq=member.hidden_seq,
    )


def kept_presence(presence: Presence) -> KeptPresence:
    """Show what is kept of how a person is seen."""
    return KeptPresence(
        status=presence.status,  # type: ignore[arg-type]  # the column has these
        hide_last_seen=presence.hide_last_seen,
        last_seen_at=instant_or_none(presence.last_seen_at),
    )


def read_thread(participant: Participant) -> ReadThread:
    """Show where a person is in a thread."""
    return ReadThread(
        message_id=participant.thread_id,
        read_seq=participant.read_seq,
        follows=participant.follows,
    )


def sent_file(upload: Upload) -> SentFile:
    """Show a file to the one who has sent it."""
    return SentFile(
        id=upload.id,
        name=upload.name,
        size=upload.size,
        content_type=upload.content_type,
        width=upload.width,
        height=upload.height,
        created_at=instant(upload.created_at),
        room_id=upload.room_id,
        message_id=upload.used_by_id if upload.used_by_kind == "message" else None,
    )
