"""Requests that are no requests, or nobody's: counted by the address they come from.

What is counted is shared by all processes. Who has had too many is remembered by each process
for itself, so that its door turns them away without asking anybody.
"""

import math
import time

from django.conf import settings

from api.errors import ChatError, Kind, NotSupported, RateLimited, SessionRevoked, TokenExpired
from api.limiter import limiter, network

REMEMBERED_MAX = 10_000  # addresses; beyond, those go whose time is over, or all

_WRONG = (Kind.INVALID, Kind.UNAUTHENTICATED)
_HONEST = (NotSupported, SessionRevoked, TokenExpired)  # what becomes of those who behave

_until: dict[str, float] = {}


def note(error: ChatError, address: str) -> None:
    """Count what was refused, if it should not have been asked at all. Blocks: from threads."""
    rate = settings.LIMITS.invalid
    if rate is None or not address or error.kind not in _WRONG or isinstance(error, _HONEST):
        return
    name = network(address)
    verdict = limiter().take(f"invalid:{name}", rate)
    if verdict.left == 0:
        if len(_until) >= REMEMBERED_MAX:
            _make_room()
        _until[name] = time.monotonic() + max(verdict.wait, 1 / rate.per_second)


def check(address: str) -> None:
    """Turn away an address from which too much has come. From the loop and from threads.

    Raises:
        RateLimited: for the moment.
    """
    if not _until:
        return
    name = network(address)
    wait = _until.get(name, 0.0) - time.monotonic()
    if wait > 0:
        raise RateLimited(retry_after=math.ceil(wait))
    _until.pop(name, None)


def _make_room() -> None:
    now = time.monotonic()
    for name, until in list(_until.items()):
        if until <= now:
            _until.pop(name, None)
    if len(_until) >= REMEMBERED_MAX:
        _until.clear()
