"""What rooms and members look like on the wire."""

import uuid
from typing import Annotated, Any, Literal, cast

import msgspec

from accounts.models import User
from accounts.schemas import Person, person
from api.codec import Body, Instant, Moment, Payload, instant, instant_or_none
from api.rooms.models import Member, Role
from api.uploads.schemas import Attachment, attachment_shown

RoleName = Literal["owner", "admin", "moderator", "member", "reader"]
RoomName = Annotated[str, msgspec.Meta(min_length=1, max_length=100)]
Topic = Annotated[str, msgspec.Meta(max_length=500)]
Reason = Annotated[str, msgspec.Meta(max_length=500)]
NotificationLevel = Literal["all", "mentions", "none"]
Join = Literal["open", "request"]
SLOW_MODE_MAX = 86_400  # seconds
SlowMode = Annotated[int, msgspec.Meta(ge=0, le=SLOW_MODE_MAX, description="Seconds.")]

ROLES = {role.wire: role for role in Role}


def role_name(role: int) -> RoleName:
    """Return the name of a role that clients see."""
    return cast(RoleName, Role(role).wire)


class CreateRoom(Body):
    """A new room; who makes it owns it."""

    name: RoomName
    kind: Literal["public", "private"]
    join: Join = "open"
    topic: Topic = ""
    metadata: dict[str, Any] | None = None
    member_ids: Annotated[list[uuid.UUID], msgspec.Meta(max_length=100)] = []


class OpenDirect(Body):
    """The other people of a direct room."""

    user_ids: Annotated[list[uuid.UUID], msgspec.Meta(min_length=1, max_length=9)]


class UpdateRoom(Body):
    """What is absent stays."""

    name: RoomName | msgspec.UnsetType = msgspec.UNSET
    topic: Topic | msgspec.UnsetType = msgspec.UNSET
    metadata: dict[str, Any] | msgspec.UnsetType | None = msgspec.UNSET
    avatar_id: uuid.UUID | msgspec.UnsetType | None = msgspec.UNSET
    join: Join | msgspec.UnsetType = msgspec.UNSET
    slow_mode_seconds: SlowMode | msgspec.UnsetType = msgspec.UNSET
    frozen: bool | msgspec.UnsetType = msgspec.UNSET
    archived: bool | msgspec.UnsetType = msgspec.UNSET


class UpdatePreferences(Body):
    """One's own settings for a room; what is absent stays."""

    notification_level: NotificationLevel | msgspec.UnsetType = msgspec.UNSET
    muted_until: Moment | msgspec.UnsetType | None = msgspec.UNSET
    favourite: bool | msgspec.UnsetType = msgspec.UNSET
    hidden: bool | msgspec.UnsetType = msgspec.UNSET


class AddMember(Body):
    """The role to have; absent: `member` to begin with, or the one that is held."""

    role: RoleName | None = None


class ChangeMember(Body):
    """The role to have from now on."""

    role: RoleName


class RemoveMember(Body):
    """Why; only those who read the audit see it."""

    reason: Reason | None = None


class Preferences(Payload):
    """One's own settings for a room."""

    notification_level: NotificationLevel
    muted_until: Instant | None
    favourite: bool
    hidden: bool


class PreferencesUpdated(Preferences):
    """Data of ``preferences.updated``."""

    room_id: uuid.UUID


class RoomFact(Payload):
    """A room as everybody in it sees it: the data of room events."""

    id: uuid.UUID
    name: str | None
    kind: Literal["public", "private", "direct"]
    join: Join
    topic: str
    metadata: dict[str, Any] | None
    avatar: Attachment | None
    created_at: Instant
    archived_at: Instant | None
    frozen: bool
    slow_mode_seconds: int
    member_count: int


class MemberOut(Payload):
    """A person in a room; ``role`` is null when they are gone, ``joined_at`` if never there."""

    user: Person
    role: RoleName | None
    joined_at: Instant | None
    muted_until: Instant | None


class MemberList(Payload):
    """Members, as they stood at ``head``."""

    items: list[MemberOut]
    next_cursor: str | None
    head: int


class RoomRemoved(Payload):
    """Data of ``room.removed``: what one is no longer in, and from which number on."""

    room_id: uuid.UUID
    seq: int
    reason: Literal["left", "removed", "banned", "deleted"]


def room_fact(room: Any) -> RoomFact:
    """Show a room, or a row that has its columns, to everybody in it."""
    return RoomFact(
        id=room.id,
        name=room.name,
        kind=cast(Any, room.kind),
        join=cast(Any, room.join),
        topic=room.topic,
        metadata=room.metadata,
        avatar=attachment_shown(room.avatar) if room.avatar else None,
        created_at=instant(room.created_at),
        archived_at=instant_or_none(room.archived_at),
        frozen=room.frozen,
        slow_mode_seconds=room.slow_mode_seconds,
        member_count=room.member_count,
    )


def member_out(member: Member, user: User, *, gone: bool = False) -> MemberOut:
    """Show a member; ``gone`` when they have just ceased to be one."""
    return MemberOut(
        user=person(user),
        role=None if gone else role_name(member.role),
        joined_at=instant(member.joined_at),
        muted_until=None if gone else instant_or_none(member.muted_until),
    )


def outsider(user: User) -> MemberOut:
    """Show somebody who is not in the room."""
    return MemberOut(user=person(user), role=None, joined_at=None, muted_until=None)
