"""Tokens: JWTs for access and for sockets, opaque ones for refresh. Alone knows simplejwt.

An access token says whose session it belongs to (``sid``) and with which generation of
the refresh token it was issued (``gen``). It is only as good as its session. A refresh
token is ``sid.generation.secret``; the next secret is an HMAC of the present one under a
key of the server, so the same successor can be given again without being stored.
"""

import base64
import functools
import hashlib
import hmac
import secrets
import uuid
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Literal, NamedTuple

import jwt
import uuid_utils.compat as uuid_utils
from django.conf import settings
from rest_framework_simplejwt.backends import TokenBackend
from rest_framework_simplejwt.exceptions import TokenBackendError, TokenBackendExpiredToken

from api.clock import now
from api.errors import InvalidToken, TokenExpired

ALGORITHM = "HS256"
ISSUER = AUDIENCE = "gapless"
HEADERS_ALLOWED = {"alg", "typ", "kid"}  # RFC 8725, section 3.10: no jku, jwk, x5u, crit
TOKEN_LENGTH_MAX = 4096
TOKENS_REMEMBERED = 4096  # whose signature need not be checked again: 70 µs each

Kind = Literal["access", "socket"]


@dataclass(frozen=True)
class Claims:
    """What a JWT of ours says, once it has been believed."""

    kind: Kind
    session_id: uuid.UUID
    generation: int
    jti: uuid.UUID
    expires_at: datetime


class Refresh(NamedTuple):
    """A refresh token, taken apart."""

    session_id: uuid.UUID
    generation: int
    secret: str

    def text(self) -> str:
        """Return the token as clients hold it."""
        return f"{self.session_id}.{self.generation}.{self.secret}"


@functools.cache
def _backend() -> TokenBackend:
    return TokenBackend(
        ALGORITHM, signing_key=settings.JWT_SIGNING_KEY, audience=AUDIENCE, issuer=ISSUER
    )


def issue(kind: Kind, session_id: uuid.UUID, generation: int, seconds: float) -> str:
    """Sign a JWT that is good for so many seconds, at most as long as its session."""
    moment = now()
    claims = {
        "typ": kind,
        "sid": str(session_id),
        "gen": generation,
        "jti": str(uuid_utils.uuid7()),
        "iat": int(moment.timestamp()),
        "exp": int((moment + timedelta(seconds=seconds)).timestamp()),
    }
    return _backend().encode(claims)


def read(token: str, *kinds: Kind) -> Claims:
    """Believe a JWT, or not.

    Raises:
        TokenExpired: it is ours and right in every respect but its age.
        InvalidToken: for every other cause, without saying which.
    """
    claims = _believed(token)
    if claims.kind not in kinds:
        raise InvalidToken
    if claims.expires_at <= now():  # it was not when it was first believed
        raise TokenExpired
    return claims


@functools.lru_cache(TOKENS_REMEMBERED)
def _believed(token: str) -> Claims:
    payload = _payload(token)
    try:
        return Claims(
            kind=payload["typ"],
            session_id=uuid.UUID(payload["sid"]),
            generation=int(payload["gen"]),
            jti=uuid.UUID(payload["jti"]),
            expires_at=datetime.fromtimestamp(payload["exp"], UTC),
        )
    except (KeyError, TypeError, ValueError, AttributeError, OverflowError):
        raise InvalidToken from None


def _payload(token: str) -> dict[str, Any]:
    try:
        header = jwt.get_unverified_header(token[:TOKEN_LENGTH_MAX])
        if not set(header) <= HEADERS_ALLOWED or header.get("alg") != ALGORITHM:
            raise InvalidToken
        payload: dict[str, Any] = _backend().decode(token)  # type: ignore[arg-type]  # it is a str
    except TokenBackendExpiredToken:
        raise TokenExpired from None
    except (TokenBackendError, jwt.InvalidTokenError):
        raise InvalidToken from None
    return payload


def first_refresh(session_id: uuid.UUID) -> Refresh:
    """Return the refresh token of a new session."""
    return Refresh(session_id, 1, secrets.token_urlsafe(32))


def successor(token: Refresh) -> Refresh:
    """Return the token that follows: the same one, however often it is asked for."""
    text = f"{token.session_id}.{token.generation + 1}.{token.secret}".encode()
    digest = hmac.digest(_refresh_key(), text, "sha256")
    secret = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
    return Refresh(token.session_id, token.generation + 1, secret)


def secret_hash(token: Refresh) -> bytes:
    """Return what is stored of a refresh token."""
    return hashlib.sha256(token.secret.encode()).digest()


def parsed_refresh(text: str) -> Refresh:
    """Take a refresh token apart.

    Raises:
        InvalidToken: it has not the form of one.
    """
    try:
        session_id, generation, secret = text[:TOKEN_LENGTH_MAX].split(".")
        number = int(generation) if generation.isascii() and generation.isdigit() else 0
        if not 0 < number < 2**31:
            raise InvalidToken
        return Refresh(uuid.UUID(session_id), number, secret)
    except ValueError:
        raise InvalidToken from None


def _refresh_key() -> bytes:
    return hmac.digest(settings.SECRET_KEY.encode(), b"refresh-successor", "sha256")
