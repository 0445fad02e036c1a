"""Requests that are no requests, or nobody's: counted by the address they come from.

What is counted is shared by all processes. Who has had too many is remembered by each process
for itself (``api/turned_away.py``). Who comes without an address, over a Unix socket, is a
proxy of ours that tells none: nobody is counted, rather than all as one.
"""

from django.conf import settings

from api import turned_away
from api.errors import ChatError, Kind, NotSupported, SessionRevoked, TokenExpired
from api.limiter import limiter, network

_WRONG = (Kind.INVALID, Kind.UNAUTHENTICATED, Kind.TOO_LARGE)
_HONEST = (NotSupported, SessionRevoked, TokenExpired)  # what becomes of those who behave


def counts(error: ChatError) -> bool:
    """Tell whether this is the answer to what should not have been asked at all."""
    return error.kind in _WRONG and not isinstance(error, _HONEST)


def note(error: ChatError, address: str) -> None:
    """Count what was refused, if it should not have been asked at all. Blocks: from threads."""
    rate = settings.LIMITS.invalid
    if rate is None or not address or not counts(error) or wait(address):
        return
    verdict = limiter().take(f"invalid:{network(address)}", rate)
    if verdict.left == 0:
        seconds = max(verdict.wait, 1 / rate.per_second)
        turned_away.remember("invalid", address, seconds)


def wait(address: str) -> float:
    """Return how long an address has to wait from which too much has come; 0.0: not at all."""
    return turned_away.wait("invalid", address)
