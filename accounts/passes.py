"""Tokens for one purpose, asked for with an access token: one handshake, and links to files."""

from django.conf import settings
from django.db import IntegrityError

from accounts import tokens
from accounts.models import UsedSocketToken
from accounts.schemas import LivingSession
from api.errors import InvalidToken
from api.log.append import writing


def issue_socket_token(*, session: LivingSession) -> tuple[str, int]:
    """Return a token for one WebSocket handshake, and its lifetime in seconds.

    It proves no more than the access token that it was asked for with: the answer with the
    present generation may be lost.
    """
    seconds = settings.LIMITS.socket_token_seconds
    return tokens.issue("socket", session.id, session.proven, seconds), int(seconds)


def issue_download_token(*, session: LivingSession) -> tuple[str, int]:
    """Return a token for attachments alone, and its lifetime in seconds; for use in links."""
    seconds = settings.LIMITS.download_token_seconds
    return tokens.issue("download", session.id, session.proven, seconds), int(seconds)


def redeem(*, claims: tokens.Claims) -> None:
    """Use a socket token; only the first to come may.

    Raises:
        InvalidToken: it has been used before.
    """
    try:
        with writing():
            UsedSocketToken.objects.create(jti=claims.jti, expires_at=claims.expires_at)
    except IntegrityError:
        raise InvalidToken from None
