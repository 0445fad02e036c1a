"""Writes of requests to join: asked, withdrawn, approved, refused."""

import uuid

from accounts.erasure import none_is_erased
from accounts.models import User
from api.audit.actions import record, without_event
from api.blocks.queries import blockers_among
from api.clock import now
from api.errors import Conflict, NotFound
from api.inbox.models import Notification
from api.inbox.notices import tell
from api.log.append import lock, writing
from api.rooms import membership, permissions
from api.rooms import queries as rooms
from api.rooms.models import JoinRequest, Member, Role


def ask_to_join(*, user_id: uuid.UUID, room_id: uuid.UUID, text: str) -> tuple[JoinRequest, bool]:
    """Ask to be let into a public room, or ask otherwise; tell whether it is for the first time.

    Raises:
        NotFound: there is no such room, or it is not this person's to see; or they have been
            erased meanwhile.
        PermissionDenied: they are banned.
        Conflict: they are in it, or may simply join.
        RoomArchived: it takes nobody any more.
    """
    with writing():
        lock(room_id)
        room = rooms.visible_room(room_id, user_id)
        if rooms.is_member(room_id, user_id):
            raise Conflict("You are in the room.")
        permissions.check_not_archived(room)
        if room.join == "open":
            raise Conflict("Anybody may join this room.")
        moment = now()
        membership.check_not_banned(room_id, user_id, moment)
        asked, new = JoinRequest.objects.select_related("user").get_or_create(
            {"text": text, "created_at": moment}, room=room, user=User.objects.get(pk=user_id)
        )
        if not new and text != asked.text:
            asked.text = text
            asked.save(update_fields=["text"])
        if new:
            _tell(asked)
            if not none_is_erased([user_id]):
                raise NotFound
    return asked, new


def _tell(asked: JoinRequest) -> None:
    """Tell those who decide, but not again before they have read it: one may ask many times."""
    deciding = rooms.moderators(asked.room_id, but=asked.user_id)
    unread = Notification.objects.filter(
        user_id__in=deciding, room_id=asked.room_id, kind="join_request", read_at=None
    )
    told = unread.filter(data__user_id=str(asked.user_id)).values_list("user_id", flat=True)
    tell(
        {*deciding} - {*told} - blockers_among(deciding, asked.user_id),
        at=asked.created_at,
        kind="join_request",
        text=f"Somebody asks to be let into {asked.room.name}.",
        data={"user_id": str(asked.user_id)},
        room_id=asked.room_id,
    )


def approve_request(*, actor_id: uuid.UUID, room_id: uuid.UUID, user_id: uuid.UUID) -> Member:
    """Let somebody in who has asked; who is in the room already stays as they are.

    Raises:
        NotFound, PermissionDenied: as ``rooms.member_in``, no moderator, or nobody has asked.
        RoomArchived: it takes nobody any more.
    """
    with writing():
        lock(room_id)
        actor = rooms.member_in(room_id, actor_id)
        permissions.check_at_least(actor, Role.MODERATOR)
        if not rooms.is_member(room_id, user_id):
            permissions.check_not_archived(actor.room)
            asked = JoinRequest.objects.filter(room_id=room_id, user_id=user_id)
            request = asked.select_related("user").first()
            if request is None:
                raise NotFound
            membership.let_in(actor.room, request.user, Role.MEMBER, actor_id=actor_id)
        return rooms.member_in(room_id, user_id)


def end_request(*, actor_id: uuid.UUID, room_id: uuid.UUID, user_id: uuid.UUID) -> None:
    """Refuse somebody, or withdraw what one has asked; where nobody has asked nothing is said.

    Raises:
        NotFound, PermissionDenied: as ``rooms.member_in``, or no moderator.
    """
    with writing():
        head = lock(room_id)
        if actor_id != user_id:
            permissions.check_at_least(rooms.member_in(room_id, actor_id), Role.MODERATOR)
        else:
            rooms.visible_room(room_id, actor_id)
        ended, _ = JoinRequest.objects.filter(room_id=room_id, user_id=user_id).delete()
        if ended and actor_id != user_id:
            refused = without_event(room_id, "request.refused", actor_id, head=head)
            record(refused, user_id=user_id)
