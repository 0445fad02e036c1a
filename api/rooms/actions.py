"""Writes of rooms: the one way in which each of these things happens."""

import uuid
from typing import Any

import msgspec
from django.db import IntegrityError

from accounts.models import User
from api.audit.actions import record
from api.clock import now
from api.codec import check_size, same
from api.errors import InvalidRequest
from api.log.append import Entry, append, lock, writing
from api.rooms import membership, permissions, preferences, queries
from api.rooms.models import Kind, Role, Room
from api.rooms.schemas import CreateRoom, UpdateRoom, room_fact
from api.uploads import using
from api.uploads.schemas import UsedBy, avatar_id

METADATA_BYTES_MAX = 8 * 1024
_SET_BY_MODERATORS = {"slow_mode_seconds", "frozen"}


def create_room(*, creator_id: uuid.UUID, content: CreateRoom) -> Room:
    """Make a public or private room and put people into it.

    Raises:
        InvalidRequest: a blank name, too much metadata, or nobody of that id.
        NotFound: one of them has been erased meanwhile.
        PermissionDenied: one of them does not want to hear from this person.
    """
    _check_name(content.name)
    check_size(content.metadata, METADATA_BYTES_MAX, "/metadata")
    people = queries.people(content.member_ids, "/member_ids")
    moment = now()
    room = Room(
        kind=content.kind,
        join=content.join,
        name=content.name,
        topic=content.topic,
        metadata=content.metadata,
        created_at=moment,
    )
    others = [(user, Role.MEMBER) for user in people if user.id != creator_id]
    creator = User.objects.get(pk=creator_id)
    with writing():
        room.save(force_insert=True)
        membership.admit(room, [(creator, Role.OWNER), *others], actor_id=creator_id, moment=moment)
        membership.check_welcome([user.id for user, _ in others], creator_id)
    return room


def open_direct_room(*, creator_id: uuid.UUID, user_ids: list[uuid.UUID]) -> tuple[Room, bool]:
    """Find or make the one room of exactly these people; tell whether it was made.

    Raises:
        InvalidRequest: nobody of that id, or nobody but oneself.
        PermissionDenied: it would be new, and not all of them want to hear from this person.
    """
    others = [user for user in queries.people(user_ids, "/user_ids") if user.id != creator_id]
    if not others:
        raise InvalidRequest.at("/user_ids", "A direct room takes somebody else.")
    people = sorted([User.objects.get(pk=creator_id), *others], key=lambda user: user.id)
    key = ",".join(str(user.id) for user in people)
    found = Room.objects.filter(direct_key=key).first()
    if found is None:
        moment = now()
        room = Room(kind=Kind.DIRECT, direct_key=key, created_at=moment)
        try:
            with writing():
                room.save(force_insert=True)
                membership.admit(
                    room,
                    [(user, Role.MEMBER) for user in people],
                    actor_id=creator_id,
                    moment=moment,
                )
                membership.check_welcome([user.id for user in others], creator_id)
            return room, True
        except IntegrityError:  # somebody was faster
            found = Room.objects.get(direct_key=key)
    with writing():
        lock(found.id)
        lock(creator_id)
        preferences.keep(queries.member_in(found.id, creator_id), hidden=False)
    return found, False


def update_room(*, actor_id: uuid.UUID, room_id: uuid.UUID, changes: UpdateRoom) -> Room:
    """Change a room; what is the same already makes no event.

    Raises:
        NotFound, PermissionDenied: as ``queries.member_in``, or too low a role.
        RoomArchived: anything but bringing it back.
        InvalidRequest: a blank name, too much metadata, or no unused image of the actor's.
    """
    wanted = _wanted(changes)
    with writing():
        lock(room_id)
        member = queries.member_in(room_id, actor_id)
        room = member.room
        for_admins = not set(wanted) <= _SET_BY_MODERATORS
        permissions.check_at_least(member, Role.ADMIN if for_admins else Role.MODERATOR)
        archived = wanted.pop("archived", None)
        avatar = wanted.pop("avatar_id", msgspec.UNSET)
        changed = [name for name, value in wanted.items() if not same(getattr(room, name), value)]
        if avatar is not msgspec.UNSET and avatar != avatar_id(room.avatar):
            changed.append("avatar")
        if changed and archived is not False:
            permissions.check_not_archived(room)
        if "avatar" in changed:
            wanted["avatar"] = using.change_avatar(
                owner_id=actor_id,
                present=room.avatar,
                avatar_id=avatar,
                by=UsedBy("room", room_id, room_id),
                moment=now(),
            )
        for name in changed:
            setattr(room, name, wanted[name])
        event_type = "room.updated" if changed else None
        if archived is not None and archived != (room.archived_at is not None):
            room.archived_at = now() if archived else None
            event_type = "room.archived" if archived else "room.updated"
        if event_type:
            room.save(update_fields=[*changed, "archived_at"])
            subject = ("room", room_id)
            (event,) = append([Entry(room_id, event_type, actor_id, subject=subject)])
            event.show(room_fact(room))
            record(event, details=_told(room, changed, archived))
    return room


def _told(room: Room, changed: list[str], archived: bool | None) -> dict[str, Any]:
    """Return what of a room is as it is now by a change, for the audit."""
    told = {name: getattr(room, name) for name in changed}
    kept: dict[str, Any] = msgspec.to_builtins(
        told if archived is None else told | {"archived": archived}
    )
    return kept


def delete_room(*, actor_id: uuid.UUID, room_id: uuid.UUID) -> None:
    """End a room for everybody; its stream takes no more.

    Raises:
        NotFound, PermissionDenied: as ``queries.member_in``, or not the owner.
    """
    with writing():
        head = lock(room_id)
        member = queries.member_in(room_id, actor_id)
        permissions.check_at_least(member, Role.OWNER)
        moment = now()
        entries = membership.closure(member.room, actor_id=actor_id, seq=head + 1)
        append(entries, at=moment)[0].show(room_fact(member.room))
        membership.close(member.room, moment)


def _wanted(changes: UpdateRoom) -> dict[str, Any]:
    wanted = {
        name: getattr(changes, name)
        for name in changes.__struct_fields__
        if getattr(changes, name) is not msgspec.UNSET
    }
    if "name" in wanted:
        _check_name(wanted["name"])
    check_size(wanted.get("metadata"), METADATA_BYTES_MAX, "/metadata")
    return wanted


def _check_name(name: str) -> None:
    if not name.strip():
        raise InvalidRequest.at("/name", "A name cannot be blank.")
