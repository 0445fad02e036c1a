"""How long one socket lives: until its token comes, ends, or is renewed, and not for ever."""

import asyncio
from collections.abc import Callable

from django.conf import settings

from accounts.queries import session_expiry
from api.clock import now
from api.codec import Payload
from realtime import close_codes, pool, protocol
from realtime.auth import Identity
from realtime.clocks import SocketClocks
from realtime.close_codes import Close


class Lifetime:
    """The life of one socket; ``close`` ends it, ``tell`` sends it a frame."""

    __slots__ = ("_clocks", "_close", "_following", "_tell", "identity")

    def __init__(self, close: Callable[[Close], None], tell: Callable[[Payload], None]) -> None:
        self._close, self._tell = close, tell
        self._clocks = SocketClocks(self)
        self._following: asyncio.Task[None] | None = None
        self.identity: Identity | None = None

    def await_token(self) -> None:
        """Give it some seconds to say whose it is."""
        self._clocks.await_token(settings.LIMITS.authenticate_seconds)

    def begin(self, identity: Identity) -> None:
        """Let it live as long as its token, and no longer than a socket may."""
        self._clocks.token_came()
        self._clocks.limit_age(settings.LIMITS.socket_age)
        self.renew(identity)

    def renew(self, identity: Identity) -> None:
        """Let it live as long as another token."""
        self.identity = identity
        self._clocks.expire_at(identity.expires_at)

    def stop(self) -> None:
        """It has ended, or is about to. Harmless when repeated."""
        self.identity = None
        self._clocks.stop()

    def close(self, close: Close) -> None:
        """Say why, and close."""
        self._close(close)

    def warn(self, seconds: int) -> None:
        """Tell the client that the token ends."""
        self._tell(protocol.AuthExpiring(expires_in=seconds))

    def expired(self) -> None:
        """End the socket with its token, or ask how its session does."""
        if self.identity is not None and self.identity.follows_session:
            follow = self._follow_session(self.identity)
            self._following = asyncio.get_running_loop().create_task(follow)
        else:
            self._close(close_codes.TOKEN_EXPIRED)

    async def _follow_session(self, identity: Identity) -> None:
        """Live on if the session has been used, so prolonged, meanwhile."""
        try:
            expires_at = await pool.run_for_all(session_expiry, identity.session.id)
        except Exception:  # noqa: BLE001  the database is away: come back when it is there
            self._close(close_codes.INTERNAL)
            return
        if self.identity is not identity:
            return  # renewed, or gone, meanwhile
        if expires_at is None or expires_at <= now():
            self._close(close_codes.TOKEN_EXPIRED)
        else:
            self._clocks.expire_at(expires_at)
