"""The timers of one socket: authentication, expiry of the token, age."""

import asyncio
import random
from collections.abc import Callable
from datetime import datetime

from api.clock import now
from realtime.close_codes import (
    NOT_AUTHENTICATED_IN_TIME,
    SOCKET_AGE,
    Close,
)

EXPIRING_SECONDS = 60  # how long before its end a socket is told
AGE_JITTER = 0.1  # so that sockets opened together do not end together


class SocketClocks:
    """What happens to a socket when time passes; a limit of None never comes."""

    __slots__ = ("_close", "_loop", "_timers")

    def __init__(self, close: Callable[[Close], None]) -> None:
        self._close = close
        self._loop = asyncio.get_running_loop()
        self._timers: dict[str, asyncio.TimerHandle] = {}

    def await_token(self, seconds: float | None) -> None:
        """Close the socket if no token comes."""
        self._set("token", seconds, lambda: self._close(NOT_AUTHENTICATED_IN_TIME))

    def token_came(self) -> None:
        """Stop waiting for a token."""
        self._set("token", None, lambda: None)

    def limit_age(self, seconds: float | None) -> None:
        """Close the socket when it is old."""
        if seconds is not None:
            seconds *= random.uniform(1 - AGE_JITTER, 1 + AGE_JITTER)  # noqa: S311
        self._set("age", seconds, lambda: self._close(SOCKET_AGE))

    def expire_at(
        self, moment: datetime, *, warn: Callable[[int], None], expired: Callable[[], None]
    ) -> None:
        """Warn before, and act at, the end of the token; replaces what was set before."""
        left = seconds_until(moment)
        notice = min(EXPIRING_SECONDS, left / 2)
        self._set("warning", left - notice, lambda: warn(round(notice)))
        self._set("expiry", left, expired)

    def stop(self) -> None:
        """Nothing happens any more."""
        for timer in self._timers.values():
            timer.cancel()
        self._timers.clear()

    def _set(self, name: str, seconds: float | None, act: Callable[[], None]) -> None:
        timer = self._timers.pop(name, None)
        if timer is not None:
            timer.cancel()
        if seconds is not None:
            self._timers[name] = self._loop.call_later(max(seconds, 0), act)


def seconds_until(moment: datetime) -> float:
    """Return how far off a moment is; not below zero."""
    return max((moment - now()).total_seconds(), 0.0)
