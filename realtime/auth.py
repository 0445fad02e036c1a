"""Who opens a socket: the token's four ways in, believed before any consumer runs."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import parse_qs

from accounts import sessions
from accounts.authentication import bearer, bearer_token
from accounts.schemas import LivingSession, Profile
from api import invalid
from api.errors import ChatError, InvalidToken
from api.problems import translated
from realtime import pool
from realtime.close_codes import PROTOCOL_NOT_SUPPORTED, for_error
from realtime.protocol import BEARER_PREFIX, PROTOCOL


@dataclass(frozen=True)
class Identity:
    """Whose socket it is, how long the token lets it live, and the head of the inbox.

    ``follows_session``: opened with a socket token, it lives as long as the session.
    """

    user: Profile
    session: LivingSession
    inbox_head: int
    expires_at: datetime
    follows_session: bool


def identify(token: str, address: str) -> Identity:
    """Believe a token; a socket token is used up by it. Bad ones are counted by address.

    Raises:
        InvalidToken, TokenExpired, SessionRevoked: as ``accounts.authentication.bearer``.
        RateLimited: too much that was no request has come from this address.
    """
    invalid.check(address)
    try:
        found, claims = bearer(token, "access", "socket")
        if claims.kind == "socket":
            sessions.redeem(claims=claims)
    except ChatError as error:
        invalid.note(error, address)
        raise
    if claims.kind == "socket":
        return Identity(found.user, found.session, found.inbox_head, found.session.expires_at, True)
    return Identity(found.user, found.session, found.inbox_head, claims.expires_at, False)


def token_of(scope: dict[str, Any]) -> str | None:
    """Return the token of a handshake: header, sub-protocol or query, the first found of.

    Raises:
        InvalidToken: there is one, but it cannot be read.
    """
    for name, value in scope["headers"]:
        if name.lower() == b"authorization":
            token = bearer_token(value.decode("latin-1"))
            if token is not None:
                return token
    for offered in scope.get("subprotocols", ()):
        if offered.startswith(BEARER_PREFIX):
            return str(offered[len(BEARER_PREFIX) :])
    query = parse_qs(scope.get("query_string", b"").decode("latin-1"), keep_blank_values=True)
    tokens = query.get("token", [])
    if len(tokens) > 1:
        raise InvalidToken
    return tokens[0] if tokens else None


def address_of(scope: dict[str, Any]) -> str:
    """Return where a handshake comes from, empty when that is nowhere."""
    return str((scope.get("client") or ("",))[0])


def selected_protocol(offered: list[str]) -> tuple[str | None, bool]:
    """Return which sub-protocol to accept with, and whether it is one that we speak."""
    if PROTOCOL in offered:
        return PROTOCOL, True
    others = [item for item in offered if not item.startswith(BEARER_PREFIX)]
    return (others[0] if others else None), not offered


class TokenAuth:
    """Middleware: put ``user`` and ``session`` into the scope, or why there are none."""

    def __init__(self, app: Any) -> None:
        self._app = app

    async def __call__(self, scope: dict[str, Any], receive: Any, send: Any) -> None:
        subprotocol, spoken = selected_protocol(scope.get("subprotocols", []))
        scope["user"] = scope["session"] = scope["identity"] = None
        scope["subprotocol"] = subprotocol
        if not spoken:
            scope.setdefault("refused", PROTOCOL_NOT_SUPPORTED)
        if "refused" not in scope:
            await self._authenticate(scope)
        await self._app(scope, receive, send)

    async def _authenticate(self, scope: dict[str, Any]) -> None:
        try:
            token = token_of(scope)
            if token is not None:
                identity = await pool.run(identify, token, address_of(scope))
                scope["user"], scope["session"] = identity.user, identity.session
                scope["identity"] = identity
        except Exception as error:  # noqa: BLE001  also a database that is away: an answer, not a crash
            failure: ChatError = translated(error)
            scope["refused"] = for_error(failure.code)
