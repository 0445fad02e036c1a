"""What invitations and requests to join look like on the wire."""

import uuid
from typing import Annotated

import msgspec

from accounts.schemas import Person, person
from api.codec import Body, Instant, Payload, instant, instant_or_none
from api.invitations.models import Invite
from api.rooms.models import JoinRequest

MAX_USES = 1_000_000
YEAR = 365 * 86_400  # seconds


class CreateInvite(Body):
    """A link for all who get it, or with ``user_id`` an invitation of one person.

    ``expires_in`` is in seconds; absent or null: it does not end by itself.
    """

    max_uses: Annotated[int, msgspec.Meta(ge=1, le=MAX_USES)] | None = None
    expires_in: Annotated[int, msgspec.Meta(ge=1, le=YEAR, description="Seconds.")] | None = None
    user_id: uuid.UUID | None = None


class InviteOut(Payload):
    """An invitation; ``user`` is who alone may take it up, null: whoever has the code."""

    code: str
    room_id: uuid.UUID
    creator: Person
    user: Person | None
    uses: int
    max_uses: int | None
    created_at: Instant
    expires_at: Instant | None


class InviteList(Payload):
    """The invitations that may still be taken up, the newest first."""

    items: list[InviteOut]
    next_cursor: str | None


class AskToJoin(Body):
    """What one says to those who decide."""

    text: Annotated[str, msgspec.Meta(max_length=500)] = ""


class JoinRequestOut(Payload):
    """Somebody who asks to be let in."""

    room_id: uuid.UUID
    user: Person
    text: str
    created_at: Instant


class JoinRequestList(Payload):
    """Who asks to be let in, the first to ask first."""

    items: list[JoinRequestOut]
    next_cursor: str | None


def invite_out(invite: Invite) -> InviteOut:
    """Show an invitation, with its people loaded."""
    return InviteOut(
        code=invite.code,
        room_id=invite.room_id,
        creator=person(invite.creator),
        user=None if invite.invited is None else person(invite.invited),
        uses=invite.uses,
        max_uses=invite.max_uses,
        created_at=instant(invite.created_at),
        expires_at=instant_or_none(invite.expires_at),
    )


def request_out(request: JoinRequest) -> JoinRequestOut:
    """Show who asks, with the person loaded."""
    return JoinRequestOut(
        room_id=request.room_id,
        user=person(request.user),
        text=request.text,
        created_at=instant(request.created_at),
    )
