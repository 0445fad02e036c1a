"""Who opens a socket: the token's four ways in, believed before any consumer runs."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import parse_qs

import uuid_utils.compat as uuid_utils

from accounts import admission, passes
from accounts.authentication import bearer, bearer_token
from accounts.schemas import LivingSession, Profile
from api import allowance, invalid, tracing
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
    kid: str
    expires_at: datetime
    follows_session: bool


async def identify(token: str, address: str, *, opens: bool) -> Identity:
    """Believe a token; a socket token is used up by it. Bad ones are counted by address.

    ``opens``: it is to open a socket, not to renew one. Opening is a request like any other;
    where there is a socket token, it has been counted when that was asked for.

    Raises:
        InvalidToken, TokenExpired, SessionRevoked: as ``accounts.authentication.bearer``.
        RateLimited: too much that was no request has come from this address, or too many
            requests from this user.
    """
    admission.check(address, token, "access", "socket")
    return await pool.run_for_all(_identify, token, address, opens)


def _identify(token: str, address: str, opens: bool) -> Identity:
    try:
        found, claims = bearer(token, "access", "socket")
        if claims.kind == "socket":
            passes.redeem(claims=claims)
    except ChatError as error:
        invalid.note(error, address)
        raise
    follows = claims.kind == "socket"
    if opens and not follows:
        allowance.check(allowance.take("requests", found.user.id))
    expires_at = found.session.expires_at if follows else claims.expires_at
    return Identity(*found, claims.kid, expires_at, follows)


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


def _presented(scope: dict[str, Any]) -> str | None:
    try:
        return token_of(scope)
    except InvalidToken:
        return ""  # to be refused, and counted, like any other that is none


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
    """Middleware: put ``user`` and ``session`` into the scope, or why there are none.

    The socket gets its ``connection_id`` here, so that all that is logged of it has it.
    """

    def __init__(self, app: Any) -> None:
        self._app = app

    async def __call__(self, scope: dict[str, Any], receive: Any, send: Any) -> None:
        scope["connection_id"] = uuid_utils.uuid7()
        tracing.connected(scope["connection_id"])
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
            token = _presented(scope)
            if token is not None:
                identity = await identify(token, address_of(scope), opens=True)
                scope["user"], scope["session"] = identity.user, identity.session
                scope["identity"] = identity
        except Exception as error:  # noqa: BLE001  also a database that is away: an answer, not a crash
            failure: ChatError = translated(error)
            scope["refused"] = for_error(failure.code, failure.retry_after)
