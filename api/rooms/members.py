"""Writes of members: joining, leaving, adding, removing, roles."""

import uuid

from accounts.models import User
from api.audit.actions import record
from api.clock import now
from api.errors import Conflict, NotFound, PermissionDenied
from api.log.append import append, lock, writing
from api.rooms import permissions, preferences, queries
from api.rooms.membership import admit, check_welcome, dismiss, let_in, role_change
from api.rooms.models import Kind, Member, Role
from api.rooms.schemas import member_out


def join_room(*, user_id: uuid.UUID, room_id: uuid.UUID) -> None:
    """Become a member of a public room; who is one already stays as they are.

    Raises:
        NotFound: there is no such room, or it is not this person's to see.
        PermissionDenied: one has to be let in.
        RoomArchived: it takes nobody any more.
    """
    with writing():
        lock(room_id)
        room = queries.visible_room(room_id, user_id)
        if queries.is_member(room_id, user_id):
            return
        permissions.check_not_archived(room)
        if room.join != "open":
            raise PermissionDenied("One has to be let into this room.")
        user = User.objects.get(pk=user_id)
        admit(room, [(user, Role.MEMBER)], actor_id=user_id, moment=now())


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
            preferences.keep(member, hidden=True)
            return
        _check_not_last_owner(member)
        dismiss(member, "left", actor_id=user_id, head=head)


def add_member(
    *, actor_id: uuid.UUID, room_id: uuid.UUID, user_id: uuid.UUID, role: Role | None = None
) -> tuple[Member, bool]:
    """Put a person into a room, or give them another role; tell whether they are new.

    Raises:
        NotFound, PermissionDenied: as ``queries.member_in``, too low a role, or as
            ``membership.check_welcome``.
        RoomArchived: it takes nobody any more.
    """
    with writing():
        lock(room_id)
        actor = queries.member_in(room_id, actor_id)
        permissions.check_not_direct(actor.room)
        present = queries.member_if_any(room_id, user_id)
        if present is not None:
            return _set_role(actor, present, role or Role(present.role)), False
        permissions.check_not_archived(actor.room)
        permissions.check_at_least(actor, Role.ADMIN)
        given = role or Role.MEMBER
        permissions.check_may_give(actor, given)
        user = User.objects.filter(pk=user_id, erased_at=None, disabled_at=None).first()
        if user is None:
            raise NotFound
        let_in(actor.room, user, given, actor_id=actor_id)
        check_welcome([user_id], actor_id)
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
        permissions.check_not_direct(actor.room)
        member = queries.member_if_any(room_id, user_id)
        if member is None:
            raise NotFound
        return _set_role(actor, member, role)


def remove_member(
    *, actor_id: uuid.UUID, room_id: uuid.UUID, user_id: uuid.UUID, reason: str | None = None
) -> None:
    """Put a person out of a room; ``reason`` is for those who read the audit.

    Raises:
        NotFound, PermissionDenied: as ``queries.member_in``, or too low a role.
        Conflict: the last owner cannot leave.
    """
    with writing():
        head = lock(room_id)
        actor = queries.member_in(room_id, actor_id)
        permissions.check_not_direct(actor.room)
        member = queries.member_if_any(room_id, user_id)
        if member is None:
            raise NotFound
        if user_id == actor_id:
            _check_not_last_owner(member)
            dismiss(member, "left", actor_id=actor_id, head=head)
            return
        permissions.check_at_least(actor, Role.MODERATOR)
        permissions.check_above(actor, member.role)
        gone = dismiss(member, "removed", actor_id=actor_id, head=head)
        record(gone, user_id=user_id, reason=reason or None)


def _set_role(actor: Member, member: Member, role: Role) -> Member:
    if member.role == role:
        return member
    permissions.check_not_archived(member.room)
    if member.user_id == actor.user_id:
        if role > actor.role:
            raise PermissionDenied("Nobody gives themselves a higher role.")
        _check_not_last_owner(member)
    else:
        permissions.check_at_least(actor, Role.ADMIN)
        permissions.check_above(actor, member.role)
        permissions.check_may_give(actor, role)
    before, member.role = Role(member.role), role
    Member.objects.filter(room_id=member.room_id, user_id=member.user_id).update(role=role)
    (event,) = append([role_change(member, actor_id=actor.user_id)])
    event.show(member_out(member, member.user))
    record(event, user_id=member.user_id, details={"from": before.wire, "to": role.wire})
    return member


def _check_not_last_owner(member: Member) -> None:
    if member.role != Role.OWNER:
        return
    owners = Member.objects.filter(room_id=member.room_id, role=Role.OWNER)
    if not owners.exclude(user_id=member.user_id).exists():
        raise Conflict("The last owner hands the room over first, or deletes it.")
