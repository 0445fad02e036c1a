"""Writes of rooms and members: the one way in which each of these things happens."""

import uuid
from typing import Any

import msgspec
from django.db import IntegrityError

from accounts.models import User
from api.clock import now
from api.codec import encode, plain
from api.errors import Conflict, InvalidRequest, NotFound, NotSupported, PermissionDenied
from api.log.append import Entry, append, lock, writing
from api.log.models import Stream
from api.rooms import membership, permissions, queries
from api.rooms.models import Kind, Member, Role, Room
from api.rooms.schemas import CreateRoom, RoomRemoved, UpdateRoom, member_out, room_fact

METADATA_BYTES_MAX = 8 * 1024
_SET_BY_MODERATORS = {"slow_mode_seconds", "frozen"}


def create_room(*, creator: User, content: CreateRoom) -> Room:
    """Make a public or private room and put people into it.

    Raises:
        InvalidRequest: a blank name, too much metadata, or nobody of that id.
    """
    _check_name(content.name)
    _check_metadata(content.metadata)
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
    others = [(user, Role.MEMBER) for user in people if user.id != creator.id]
    with writing():
        room.save(force_insert=True)
        membership.admit(room, [(creator, Role.OWNER), *others], actor_id=creator.id, moment=moment)
    return room


def open_direct_room(*, creator: User, user_ids: list[uuid.UUID]) -> tuple[Room, bool]:
    """Find or make the one room of exactly these people; tell whether it was made.

    Raises:
        InvalidRequest: nobody of that id, or nobody but oneself.
    """
    others = [user for user in queries.people(user_ids, "/user_ids") if user.id != creator.id]
    if not others:
        raise InvalidRequest.at("/user_ids", "A direct room takes somebody else.")
    people = sorted([creator, *others], key=lambda user: user.id)
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
                    actor_id=creator.id,
                    moment=moment,
                )
            return room, True
        except IntegrityError:  # somebody was faster
            found = Room.objects.get(direct_key=key)
    Member.objects.filter(room=found, user=creator).update(hidden_seq=None)
    return found, False


def update_room(*, actor_id: uuid.UUID, room_id: uuid.UUID, changes: UpdateRoom) -> Room:
    """Change a room; what is the same already makes no event.

    Raises:
        NotFound, PermissionDenied: as ``queries.member_in``, or too low a role.
        RoomArchived: anything but bringing it back.
        InvalidRequest: a blank name, or too much metadata.
        NotSupported: avatars.
    """
    wanted = _wanted(changes)
    with writing():
        lock(room_id)
        member = queries.member_in(room_id, actor_id)
        room = member.room
        for_admins = not set(wanted) <= _SET_BY_MODERATORS
        permissions.check_at_least(member, Role.ADMIN if for_admins else Role.MODERATOR)
        archived = wanted.pop("archived", None)
        if archived is not False:
            permissions.check_not_archived(room)
        changed = [name for name, value in wanted.items() if getattr(room, name) != value]
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
    return room


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
        deleted = Entry(
            room_id,
            "room.deleted",
            actor_id,
            subject=("room", room_id),
            ends={"stream": True, "reason": "deleted"},
        )
        data = plain(RoomRemoved(room_id=room_id, seq=head + 1, reason="deleted"))
        members = Member.objects.filter(room_id=room_id)
        told = [
            Entry(user_id, "room.removed", actor_id, data=data)
            for user_id in members.values_list("user_id", flat=True)
        ]
        append([deleted, *told], at=moment)[0].show(room_fact(member.room))
        Room.objects.filter(pk=room_id).update(deleted_at=moment, direct_key=None)
        Stream.objects.filter(pk=room_id).update(closed_at=moment)
        members.delete()


def join_room(*, user: User, room_id: uuid.UUID) -> None:
    """Become a member of a public room; who is one already stays as they are.

    Raises:
        NotFound: there is no such room, or it is not this person's to see.
        PermissionDenied: one has to be let in.
        RoomArchived: it takes nobody any more.
    """
    with writing():
        lock(room_id)
        room = queries.visible_room(room_id, user.id)
        if queries.is_member(room_id, user.id):
            return
        permissions.check_not_archived(room)
        if room.join != "open":
            raise PermissionDenied("One has to be let into this room.")
        membership.admit(room, [(user, Role.MEMBER)], actor_id=user.id, moment=now())


def leave_room(*, user_id: uuid.UUID, room_id: uuid.UUID) -> None:
    """Cease to be a member; a direct room is hidden instead.

    Raises:
        NotFound, PermissionDenied: as ``queries.member_in``.
        Conflict: the last owner cannot leave.
    """
    with writing():
        head = lock(room_id)
        member = queries.member_in(room_id, user_id)
        if member.room.kind == Kind.DIRECT:
            Member.objects.filter(room_id=room_id, user_id=user_id).update(hidden_seq=head)
            return
        _check_not_last_owner(member)
        membership.dismiss(member, "left", actor_id=user_id, head=head)


def add_member(
    *, actor_id: uuid.UUID, room_id: uuid.UUID, user_id: uuid.UUID, role: Role
) -> tuple[Member, bool]:
    """Put a person into a room, or give them another role; tell whether they are new.

    Raises:
        NotFound, PermissionDenied: as ``queries.member_in``, or too low a role.
        RoomArchived: it takes nobody any more.
    """
    with writing():
        lock(room_id)
        actor = queries.member_in(room_id, actor_id)
        _check_not_direct(actor.room)
        permissions.check_not_archived(actor.room)
        present = _find(room_id, user_id)
        if present is not None:
            return _set_role(actor, present, role), False
        permissions.check_at_least(actor, Role.ADMIN)
        permissions.check_may_give(actor, role)
        user = User.objects.filter(pk=user_id, erased_at=None, disabled_at=None).first()
        if user is None:
            raise NotFound
        membership.admit(actor.room, [(user, role)], actor_id=actor_id, moment=now())
        return queries.member_in(room_id, user_id), True


def change_role(
    *, actor_id: uuid.UUID, room_id: uuid.UUID, user_id: uuid.UUID, role: Role
) -> Member:
    """Give a member another role.

    Raises:
        NotFound, PermissionDenied: as ``queries.member_in``, or too low a role.
        RoomArchived: nothing changes in it.
        Conflict: the last owner cannot step down.
    """
    with writing():
        lock(room_id)
        actor = queries.member_in(room_id, actor_id)
        _check_not_direct(actor.room)
        permissions.check_not_archived(actor.room)
        member = _find(room_id, user_id)
        if member is None:
            raise NotFound
        return _set_role(actor, member, role)


def remove_member(*, actor_id: uuid.UUID, room_id: uuid.UUID, user_id: uuid.UUID) -> None:
    """Put a person out of a room.

    Raises:
        NotFound, PermissionDenied: as ``queries.member_in``, or too low a role.
        Conflict: the last owner cannot leave.
    """
    with writing():
        head = lock(room_id)
        actor = queries.member_in(room_id, actor_id)
        _check_not_direct(actor.room)
        member = _find(room_id, user_id)
        if member is None:
            raise NotFound
        if user_id == actor_id:
            _check_not_last_owner(member)
            membership.dismiss(member, "left", actor_id=actor_id, head=head)
            return
        permissions.check_at_least(actor, Role.MODERATOR)
        permissions.check_above(actor, member.role)
        membership.dismiss(member, "removed", actor_id=actor_id, head=head)


def _set_role(actor: Member, member: Member, role: Role) -> Member:
    if member.role == role:
        return member
    if member.user_id == actor.user_id:
        if role > actor.role:
            raise PermissionDenied("Nobody gives themselves a higher role.")
        _check_not_last_owner(member)
    else:
        permissions.check_at_least(actor, Role.ADMIN)
        permissions.check_above(actor, member.role)
        permissions.check_may_give(actor, role)
    member.role = role
    Member.objects.filter(room_id=member.room_id, user_id=member.user_id).update(role=role)
    (event,) = append(
        [
            Entry(
                member.room_id,
                "member.role_changed",
                actor.user_id,
                subject=("member", member.user_id),
                data=membership.written(member),
            )
        ]
    )
    event.show(member_out(member, member.user))
    return member


def _find(room_id: uuid.UUID, user_id: uuid.UUID) -> Member | None:
    members = Member.objects.select_related("room", "user")
    return members.filter(room_id=room_id, user_id=user_id).first()


def _check_not_direct(room: Room) -> None:
    if room.kind == Kind.DIRECT:
        raise PermissionDenied("A direct room has a fixed set of people.")


def _check_not_last_owner(member: Member) -> None:
    if member.role != Role.OWNER:
        return
    owners = Member.objects.filter(room_id=member.room_id, role=Role.OWNER)
    if not owners.exclude(user_id=member.user_id).exists():
        raise Conflict("The last owner hands the room over first, or deletes it.")


def _wanted(changes: UpdateRoom) -> dict[str, Any]:
    wanted = {
        name: getattr(changes, name)
        for name in changes.__struct_fields__
        if getattr(changes, name) is not msgspec.UNSET
    }
    if wanted.pop("avatar_id", None) is not None:
        raise NotSupported("Avatars are not supported yet.")
    if "name" in wanted:
        _check_name(wanted["name"])
    _check_metadata(wanted.get("metadata"))
    return wanted


def _check_name(name: str) -> None:
    if not name.strip():
        raise InvalidRequest.at("/name", "A name cannot be blank.")


def _check_metadata(metadata: dict[str, Any] | None) -> None:
    if metadata is not None and len(encode(metadata)) > METADATA_BYTES_MAX:
        raise InvalidRequest.at("/metadata", f"More than {METADATA_BYTES_MAX} bytes.")
