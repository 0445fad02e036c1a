"""How a request says who it is from: ``Authorization: Bearer <access token>``."""

from django.http import HttpRequest
from rest_framework.authentication import BaseAuthentication
from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from typing_extensions import override

from accounts import api_keys, sessions, tokens
from accounts.queries import Bearer, bearer_of, claims_of_key
from accounts.schemas import LivingSession, Profile
from api.errors import InvalidToken


def bearer(token: str, *kinds: tokens.Kind) -> tuple[Bearer, tokens.Claims]:
    """Return whose token this is; a bot's key is as good as an access token.

    Raises:
        InvalidToken, TokenExpired, SessionRevoked: as ``tokens.read`` and ``bearer_of``.
    """
    key = api_keys.parsed(token) if "access" in kinds else None
    claims = claims_of_key(key) if key else tokens.read(token, *kinds)
    found = bearer_of(claims)
    if claims.generation > found.session.proven:
        sessions.prove(session_id=found.session.id, generation=claims.generation)
    return found, claims


def bearer_token(header: str) -> str | None:
    """Return the token of an Authorization header, None when it is of another scheme.

    Raises:
        InvalidToken: the scheme is Bearer, but not one token follows.
    """
    scheme, _, token = header.partition(" ")
    if scheme.lower() != "bearer":
        return None
    if not token.strip() or " " in token.strip():
        raise InvalidToken
    return token.strip()


class BearerAuthentication(BaseAuthentication):
    """Authenticate a REST request; ``request.auth`` is the session."""

    @override
    def authenticate(self, request: Request | HttpRequest) -> tuple[Profile, LivingSession] | None:
        token = bearer_token(request.headers.get("Authorization", ""))
        if token is None:
            return None
        found, _ = bearer(token, "access")
        return found.user, found.session

    @override
    def authenticate_header(self, request: Request | HttpRequest) -> str:
        return "Bearer"


class DownloadAuthentication(BearerAuthentication):
    """Authenticate a link to a file: by a token for that alone, in the query."""

    @override
    def authenticate(self, request: Request | HttpRequest) -> tuple[Profile, LivingSession] | None:
        token = request.GET.get("token")
        if token is None:
            return None
        found, _ = bearer(token, "download")
        return found.user, found.session


class HasSession(BasePermission):
    """Let in whoever has authenticated."""

    @override
    def has_permission(self, request: Request, view: object) -> bool:
        return bool(request.auth)
