"""What accounts say and take over the wire."""

import uuid
from datetime import datetime
from typing import Annotated, Any, Literal

import msgspec
from msgspec.structs import astuple

from accounts.models import Session, User
from api.codec import Body, Instant, Payload, instant
from api.uploads.schemas import Attachment, attachment_shown

Name = Annotated[str, msgspec.Meta(min_length=1, max_length=100)]
Device = Annotated[str, msgspec.Meta(max_length=100)]
Choice = Literal["online", "away", "dnd", "invisible"]
Secret = Annotated[str, msgspec.Meta(min_length=1, max_length=4096)]


class Register(Body):
    """A new account; ``device`` names the session in the list of sessions."""

    username: Annotated[str, msgspec.Meta(min_length=1, max_length=64)]
    password: Secret
    display_name: Name | None = None
    device: Device = ""


class Login(Body):
    """A new session for an account."""

    username: Annotated[str, msgspec.Meta(max_length=64)]
    password: Secret
    device: Device = ""


class RefreshBody(Body):
    """The refresh token, as it was last given."""

    refresh: Secret


class Logout(Body):
    """The refresh token serves when the access token has expired."""

    refresh: Secret | None = None


class ChangePassword(Body):
    """Ends every other session."""

    current_password: Secret
    new_password: Secret


class DeleteMe(Body):
    """Erasure is confirmed with the password."""

    password: Secret


class UpdateMe(Body):
    """The own profile; what is absent stays."""

    display_name: Name | msgspec.UnsetType = msgspec.UNSET
    avatar_id: uuid.UUID | msgspec.UnsetType | None = msgspec.UNSET
    hide_receipts: bool | msgspec.UnsetType = msgspec.UNSET


class ChoosePresence(Body):
    """How one wants to be seen: ``online`` is as one is. What is absent stays."""

    status: Choice
    hide_last_seen: bool | msgspec.UnsetType = msgspec.UNSET


class PresenceChoice(Payload):
    """How a person wants to be seen, and whether nobody is told when they last were."""

    status: Choice
    hide_last_seen: bool


class Person(Payload):
    """Who sent or did something. Names are null for erased people."""

    id: uuid.UUID
    username: str | None
    display_name: str | None
    is_bot: bool
    version: int


class Profile(Person):
    """A user; the highest ``version`` seen is true."""

    created_at: Instant
    avatar: Attachment | None


class Me(Profile):
    """Oneself: the profile, and what nobody else sees of it.

    ``hide_receipts``: one is not listed among the readers of a message, and sees none.
    """

    hide_receipts: bool


class LivingSession(Payload):
    """The session that a token belongs to; ``proven`` as in ``models.Session``."""

    id: uuid.UUID
    user_id: uuid.UUID
    proven: int
    expires_at: datetime


PERSON_COLUMNS = Person.__struct_fields__  # of the table, in the order of the fields
PROFILE_COLUMNS = Profile.__struct_fields__
ME_COLUMNS = Me.__struct_fields__


class SessionOut(Payload):
    """A device that signed in, or refreshed, at ``last_used_at``; ``current`` is who asks."""

    id: uuid.UUID
    device: str
    created_at: Instant
    last_used_at: Instant
    address: str
    current: bool


class Tokens(Payload):
    """Both tokens, with their lifetimes in seconds."""

    session: SessionOut
    access: str
    expires_in: int
    refresh: str
    refresh_expires_in: int


class SignedIn(Tokens):
    """Both tokens, and whose they are."""

    user: Me


class SocketToken(Payload):
    """A JWT for one WebSocket handshake."""

    token: str
    expires_in: int


class DownloadToken(Payload):
    """A JWT for links to attachments: their `?token=`."""

    token: str
    expires_in: int


class SessionList(Payload):
    """Every living session, the last used first."""

    items: list[SessionOut]
    next_cursor: str | None


class SessionsRevoked(Payload):
    """Data of ``session.revoked``: these sessions have ended, their sockets close."""

    session_ids: list[str]


def person(user: User) -> Person:
    """Show a user as a sender or an actor."""
    return Person(*(getattr(user, column) for column in PERSON_COLUMNS))


def profile(user: User) -> Profile:
    """Show a user as a profile."""
    return profile_of(*(getattr(user, column) for column in PROFILE_COLUMNS))


def profile_of(*columns: Any) -> Profile:
    """Show a user, given as the columns of a profile."""
    user_id, username, display_name, is_bot, version, created_at, avatar = columns
    shown = attachment_shown(avatar) if avatar else None
    at = instant(created_at)
    return Profile(user_id, username, display_name, is_bot, version, at, shown)


def me(user: User) -> Me:
    """Show a user to themselves."""
    return me_of(*(getattr(user, column) for column in ME_COLUMNS))


def me_of(*columns: Any) -> Me:
    """Show a user, given as the columns of ``Me``, to themselves."""
    shown = profile_of(*columns[: len(PROFILE_COLUMNS)])
    return Me(*astuple(shown), *columns[len(PROFILE_COLUMNS) :])


def session_out(session: Session, current_id: uuid.UUID) -> SessionOut:
    """Show a session to its owner."""
    return SessionOut(
        id=session.id,
        device=session.device,
        created_at=instant(session.created_at),
        last_used_at=instant(session.last_used_at),
        address=session.address,
        current=session.id == current_id,
    )
