"""Reads of accounts."""

import hmac
import uuid
from collections.abc import Iterable
from datetime import datetime
from typing import Any, NamedTuple

from django.db.models import QuerySet

from accounts import tokens
from accounts.api_keys import ApiKey
from accounts.models import BotKey, Session, User
from accounts.schemas import (
    ME_COLUMNS,
    PERSON_COLUMNS,
    PROFILE_COLUMNS,
    LivingSession,
    Me,
    Person,
    Profile,
    me_of,
    profile_of,
)
from accounts.usernames import normalized
from api.clock import now
from api.errors import InvalidToken, SessionRevoked, TokenExpired
from api.log.heads import head_at
from api.statements import Given, Rows, among


class Bearer(NamedTuple):
    """Who holds a token: the user, the session, and the head of the user's inbox."""

    user: Profile
    session: LivingSession
    inbox_head: int


class _Holder(NamedTuple):
    bearer: Bearer
    ended: bool


def _holder(*columns: Any) -> _Holder:
    session_id, proven, expires_at, inbox_head, *rest = columns
    *ends, user = *rest[:3], profile_of(*rest[3:])
    session = LivingSession(session_id, user.id, proven, expires_at)
    return _Holder(Bearer(user, session, inbox_head or 0), ended=any(ends))


_holder_of = Rows(
    _holder,
    lambda: Session.objects.filter(pk=Given("session_id")).values_list(
        *("pk", "proven", "expires_at", head_at("user_id")),
        *("revoked_at", "user__disabled_at", "user__erased_at"),
        *(f"user__{column}" for column in PROFILE_COLUMNS),
    ),
)


def bearer_of(claims: tokens.Claims) -> Bearer:
    """Return whose token it is, in one statement.

    Raises:
        SessionRevoked: the session, or its user, has been ended.
        TokenExpired: the session's time has run out.
        InvalidToken: there never was such a session.
    """
    found = _holder_of.first(session_id=claims.session_id)
    if found is None:
        raise InvalidToken
    if found.ended:
        raise SessionRevoked
    if found.bearer.session.expires_at <= now():
        raise TokenExpired
    return found.bearer


_key = Rows(
    lambda said, *session: (bytes(said), *session),
    lambda: BotKey.objects.filter(prefix=Given("prefix")).values_list(
        "secret_hash", "session_id", "session__expires_at"
    ),
)


def claims_of_key(key: ApiKey) -> tokens.Claims:
    """Return what a bot's key says: as much as an access token of its session.

    Raises:
        InvalidToken: there never was such a key.
    """
    secret_hash, session_id, expires_at = _key.first(prefix=key.prefix) or (b"", None, None)
    if not hmac.compare_digest(secret_hash, key.secret_hash):
        raise InvalidToken
    return tokens.Claims("access", session_id, 1, session_id, expires_at)


def speaks_for_the_service(user: Profile) -> bool:
    """Tell whether somebody may notify others: bots and staff."""
    return user.is_bot or User.objects.filter(pk=user.id, is_staff=True).exists()


_inbox_head = Rows(
    lambda head: head or 0,
    lambda: Session.objects.filter(pk=Given("session_id"), revoked_at=None).values_list(
        head_at("user_id")
    ),
)


def inbox_head_for(session_id: uuid.UUID) -> int:
    """Return the head of the inbox of a living session's person, in one statement.

    Raises:
        SessionRevoked: the session has ended.
    """
    head = _inbox_head.first(session_id=session_id)
    if head is None:
        raise SessionRevoked
    return head


def session_expiry(session_id: uuid.UUID) -> datetime | None:
    """Return until when a session lives, None when it has ended."""
    expiries = Session.objects.filter(pk=session_id, revoked_at=None)
    return expiries.values_list("expires_at", flat=True).first()


def user_named(username: str) -> User | None:
    """Return who has this name, however it is spelled."""
    return User.objects.filter(username=normalized(username)).first()


def living_sessions(user_id: uuid.UUID) -> QuerySet[Session]:
    """Return the sessions that are signed in, the last used first."""
    return Session.objects.filter(user_id=user_id, revoked_at=None, expires_at__gt=now()).order_by(
        "-last_used_at", "-id"
    )


def sessions_after(user_id: uuid.UUID, session_id: uuid.UUID | None, limit: int) -> list[Session]:
    """Return sessions that are signed in, the last used first, from behind one of them on.

    If that one has ended, from the first on: rather one twice than one never.
    """
    found = list(living_sessions(user_id))  # of which there are few
    ids = [session.id for session in found]
    first = ids.index(session_id) + 1 if session_id in ids else 0
    return found[first : first + limit]


_me = Rows(me_of, lambda: User.objects.filter(among("pk", "ids")).values_list(*ME_COLUMNS))


def selves_by_id(ids: Iterable[uuid.UUID | None]) -> dict[uuid.UUID, Me]:
    """Return these people as they are now, each for their own eyes alone."""
    return {found.id: found for found in _me.all(ids=list(set(ids)))}


_person_of = Rows(
    Person, lambda: User.objects.filter(among("pk", "ids")).values_list(*PERSON_COLUMNS)
)


def people_by_id(ids: Iterable[uuid.UUID | None]) -> dict[uuid.UUID, Person]:
    """Return these people as senders and actors are shown, as they are now."""
    return {found.id: found for found in _person_of.all(ids=list(set(ids)))}
