"""Reads of accounts."""

import uuid
from datetime import datetime
from typing import NamedTuple

from django.db.models import QuerySet

from accounts import tokens
from accounts.models import Session, User
from api.clock import now
from api.errors import InvalidToken, SessionRevoked, TokenExpired
from api.log.heads import head_at


class Bearer(NamedTuple):
    """Who holds a token: the user, the session, and the head of the user's inbox."""

    user: User
    session: Session
    inbox_head: int


def bearer_of(claims: tokens.Claims) -> Bearer:
    """Return whose token it is, in one statement.

    Raises:
        SessionRevoked: the session, or its user, has been ended.
        TokenExpired: the session's time has run out.
        InvalidToken: there never was such a session.
    """
    session = (
        Session.objects.select_related("user")
        .annotate(inbox_head=head_at("user_id"))
        .filter(pk=claims.session_id)
        .first()
    )
    if session is None:
        raise InvalidToken
    if session.revoked_at is not None or not session.user.enabled:
        raise SessionRevoked
    if session.expires_at <= now():
        raise TokenExpired
    return Bearer(session.user, session, session.inbox_head or 0)


def inbox_head_for(session_id: uuid.UUID) -> int:
    """Return the head of the inbox of a living session's person, in one statement.

    Raises:
        SessionRevoked: the session has ended.
    """
    living = Session.objects.filter(pk=session_id, revoked_at=None)
    row = living.values_list(head_at("user_id")).first()
    if row is None:
        raise SessionRevoked
    return row[0] or 0


def session_expiry(session_id: uuid.UUID) -> datetime | None:
    """Return until when a session lives, None when it has ended."""
    expiries = Session.objects.filter(pk=session_id, revoked_at=None)
    return expiries.values_list("expires_at", flat=True).first()


def living_sessions(user_id: uuid.UUID) -> QuerySet[Session]:
    """Return the sessions that are signed in, the last used first."""
    return Session.objects.filter(user_id=user_id, revoked_at=None, expires_at__gt=now()).order_by(
        "-last_used_at", "-id"
    )
