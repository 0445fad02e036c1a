"""The clocks of one socket: authentication, expiry of the token, age; one timer for all."""

import asyncio
import math
import random
from datetime import datetime
from typing import Protocol

from api.clock import now
from realtime.close_codes import (
    NOT_AUTHENTICATED_IN_TIME,
    SOCKET_AGE,
    Close,
)

EXPIRING_SECONDS = 60  # how long before its end a socket is told
AGE_JITTER = 0.1  # so that sockets opened together do not end together
NEVER = math.inf


class Owner(Protocol):
    """Whose clocks they are."""

    def close(self, close: Close) -> None:
        """Say why, and close."""

    def warn(self, seconds: int) -> None:
        """The token ends in so many seconds."""

    def expired(self) -> None:
        """The token has ended."""


class SocketClocks:
    """What happens to a socket when time passes; a limit of None never comes."""

    __slots__ = ("_age", "_expiry", "_loop", "_notice", "_owner", "_timer", "_token", "_warning")

    def __init__(self, owner: Owner) -> None:
        self._owner = owner
        self._loop = asyncio.get_running_loop()
        self._timer: asyncio.TimerHandle | None = None
        self._token = self._age = self._warning = self._expiry = NEVER
        self._notice = 0.0

    def await_token(self, seconds: float | None) -> None:
        """Close the socket if no token comes."""
        self._token = self._in(seconds)
        self._wind()

    def token_came(self) -> None:
        """Stop waiting for a token."""
        self._token = NEVER

    def limit_age(self, seconds: float | None) -> None:
        """Close the socket when it is old."""
        if seconds is not None:
            seconds *= random.uniform(1 - AGE_JITTER, 1 + AGE_JITTER)  # noqa: S311
        self._age = self._in(seconds)
        self._wind()

    def expire_at(self, moment: datetime) -> None:
        """Warn before, and tell of, the end of the token; replaces what was set before."""
        left = seconds_until(moment)
        self._notice = min(EXPIRING_SECONDS, left / 2)
        self._warning, self._expiry = self._in(left - self._notice), self._in(left)
        self._wind()

    def stop(self) -> None:
        """Nothing happens any more."""
        self._token = self._age = self._warning = self._expiry = NEVER
        self._wind()

    def _in(self, seconds: float | None) -> float:
        return NEVER if seconds is None else self._loop.time() + max(seconds, 0)

    def _wind(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        due = min(self._token, self._age, self._warning, self._expiry)
        if due != NEVER:
            self._timer = self._loop.call_at(due, self._ring)

    def _ring(self) -> None:
        self._timer = None
        present = self._loop.time() + 0.001  # timers are as exact as that
        if self._token <= present:
            self._token = NEVER
            self._owner.close(NOT_AUTHENTICATED_IN_TIME)
        if self._age <= present:
            self._age = NEVER
            self._owner.close(SOCKET_AGE)
        if self._warning <= present:
            self._warning = NEVER
            self._owner.warn(round(self._notice))
        if self._expiry <= present:
            self._expiry = NEVER
            self._owner.expired()
        self._wind()


def seconds_until(moment: datetime) -> float:
    """Return how far off a moment is; not below zero."""
    return max((moment - now()).total_seconds(), 0.0)
