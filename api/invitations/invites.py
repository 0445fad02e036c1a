"""Writes of invitations: made, taken up, revoked."""

import base64
import hmac
import secrets
import uuid
from datetime import datetime, timedelta

from django.conf import settings
from django.db.models import F, Q

from accounts.erasure import none_is_erased
from accounts.models import User
from api.audit.actions import record, without_event
from api.blocks.queries import blockers_among
from api.clock import now
from api.errors import Conflict, InvalidRequest, LimitReached, NotFound
from api.inbox.models import Notification
from api.inbox.notices import tell
from api.invitations import queries
from api.invitations.models import Invite
from api.invitations.schemas import CreateInvite
from api.log.append import lock, writing
from api.rooms import membership, permissions
from api.rooms import queries as rooms
from api.rooms.models import JoinRequest, Kind, Member, Role

CODE_BYTES = 16  # nobody guesses it
INVITES_MAX = 200  # of one room, which are neither used up nor over
MEMBERS_INVITES_MAX = 20  # of these, of one who is no moderator
KEPT = timedelta(days=1)  # when it is used up or over, for who asks again


def create_invite(
    *, actor_id: uuid.UUID, room_id: uuid.UUID, content: CreateInvite
) -> tuple[Invite, bool]:
    """Make an invitation, and tell whether it is new: of one person there is one in a room.

    Raises:
        NotFound, PermissionDenied: as ``rooms.member_in``, or too low a role: it takes a
            moderator, in a public room that is open a member.
        PermissionDenied: the person is banned.
        RoomArchived: it takes nobody any more.
        InvalidRequest: nobody of that id.
        Conflict: the person is in the room.
        LimitReached: there are too many.
    """
    with writing():
        lock(room_id)
        actor = rooms.member_in(room_id, actor_id)
        _check_may_invite(actor)
        moment = now()
        invited = _invited(actor, content, moment)
        living = queries.living(moment).filter(room_id=room_id)
        if invited is not None and (known := living.filter(invited=invited).first()):
            return known, False
        _check_room_left(actor, moment)
        lasts = content.expires_in and timedelta(seconds=content.expires_in)
        code = secrets.token_urlsafe(CODE_BYTES)
        if invited is not None:
            code = _code_of(room_id, invited.id)
            Invite.objects.filter(code=code).delete()  # used up, or not good any more
        invite = Invite.objects.create(
            code=code,
            room=actor.room,
            creator=actor.user,
            invited=invited,
            max_uses=1 if invited else content.max_uses,
            created_at=moment,
            expires_at=moment + lasts if lasts else None,
        )
        if invited is not None:
            _tell(invite, invited)
    return invite, True


def _code_of(room_id: uuid.UUID, invited_id: uuid.UUID) -> str:
    """Return the code for one person, always the same: what they were told of stays true."""
    text = f"invitation {room_id} {invited_id}".encode()
    digest = hmac.digest(settings.SECRET_KEY.encode(), text, "sha256")
    return base64.urlsafe_b64encode(digest[:CODE_BYTES]).rstrip(b"=").decode()


def accept_invite(*, user_id: uuid.UUID, code: str) -> uuid.UUID:
    """Become a member by an invitation, and return of which room.

    Who is a member already stays as they are, and uses nothing up, whether it is still good or
    not, for as long as it is kept: they may not have heard that it let them in.

    Raises:
        NotFound: there is no such invitation (any more), or it is somebody else's.
        PermissionDenied: they are banned.
        RoomArchived: it takes nobody any more.
    """
    room_id = Invite.objects.filter(code=code).values_list("room_id", flat=True).first()
    if room_id is None:
        raise NotFound
    with writing():
        lock(room_id)
        invite = Invite.objects.select_related("room").filter(code=code).first()
        if invite is None or invite.room.deleted_at is not None:
            raise NotFound
        if invite.invited_id not in (None, user_id):
            raise NotFound
        if rooms.is_member(room_id, user_id):
            return room_id
        moment = now()
        if not queries.living(moment).filter(pk=invite.pk).exists():
            raise NotFound
        permissions.check_not_archived(invite.room)
        user = User.objects.get(pk=user_id)
        membership.admit(invite.room, [(user, Role.MEMBER)], actor_id=user_id, moment=moment)
        Invite.objects.filter(pk=invite.pk).update(uses=F("uses") + 1, used_at=moment)
    return room_id


def forget_ended_invites(moment: datetime) -> None:
    """Forget the invitations that have let nobody in for a day; run by the upkeep."""
    used_up = Q(uses__gte=F("max_uses")) & ~Q(used_at__gt=moment - KEPT)
    Invite.objects.filter(used_up | Q(expires_at__lte=moment - KEPT)).delete()


def shut_out(room_id: uuid.UUID, user_id: uuid.UUID) -> None:
    """Take away what somebody has asked for, was sent, or has given out; the room is locked."""
    JoinRequest.objects.filter(room_id=room_id, user_id=user_id).delete()
    theirs = Q(creator_id=user_id) | Q(invited_id=user_id)
    Invite.objects.filter(theirs, room_id=room_id).delete()


def revoke_invite(*, actor_id: uuid.UUID, room_id: uuid.UUID, code: str) -> None:
    """Let nobody in by this code any more; of one that is not there nothing is said.

    Raises:
        NotFound, PermissionDenied: as ``rooms.member_in``, or somebody else's.
    """
    with writing():
        head = lock(room_id)
        member = rooms.member_in(room_id, actor_id)
        invite = Invite.objects.filter(room_id=room_id, code=code).first()
        if invite is None:
            return
        if not queries.may_end(member, invite):
            raise NotFound
        invite.delete()
        if invite.creator_id != actor_id:
            revoked = without_event(room_id, "invite.revoked", actor_id, head=head)
            record(revoked, user_id=invite.creator_id)


def _tell(invite: Invite, invited: User) -> None:
    """Tell who is invited, but not again before they have read it: one may invite many times."""
    unread = Notification.objects.filter(user=invited, kind="invitation", read_at=None)
    told = unread.filter(data__code=invite.code).values_list("user_id", flat=True)
    tell(
        {invited.id} - {*told} - blockers_among([invited.id], invite.creator_id),
        at=invite.created_at,
        kind="invitation",
        text=f"You are invited to {invite.room.name}.",
        data={"code": invite.code},
        room_id=invite.room_id,
    )
    if not none_is_erased([invited.id]):
        raise _nobody()


def _nobody() -> InvalidRequest:
    return InvalidRequest.at("/user_id", "There is no such user.")


def _check_may_invite(actor: Member) -> None:
    permissions.check_not_direct(actor.room)
    permissions.check_not_archived(actor.room)
    anybody = actor.room.kind == Kind.PUBLIC and actor.room.join == "open"
    permissions.check_at_least(actor, Role.MEMBER if anybody else Role.MODERATOR)


def _check_room_left(actor: Member, moment: datetime) -> None:
    unended = queries.unended(moment).filter(room_id=actor.room_id)
    if unended.count() >= INVITES_MAX:
        raise LimitReached(f"More than {INVITES_MAX} invitations.")
    mine = unended.filter(creator_id=actor.user_id)
    if actor.role < Role.MODERATOR and mine.count() >= MEMBERS_INVITES_MAX:
        raise LimitReached(f"More than {MEMBERS_INVITES_MAX} invitations of yours.")


def _invited(actor: Member, content: CreateInvite, moment: datetime) -> User | None:
    if content.user_id is None:
        return None
    user = User.objects.filter(pk=content.user_id, erased_at=None, disabled_at=None).first()
    if user is None:
        raise _nobody()
    if rooms.is_member(actor.room_id, user.id):
        raise Conflict("They are in the room.")
    membership.check_not_banned(actor.room_id, user.id, moment)
    return user
