"""Addresses that have had too much of something, as far as this process knows.

They are remembered so that the door turns them away without a thread, and without asking
anybody. Called from the loop and from threads.
"""

import time

from api.limiter import network

REMEMBERED_MAX = 10_000  # beyond, those go whose time is over, or all

_until: dict[tuple[str, str], float] = {}


def remember(what: str, address: str, seconds: float) -> None:
    """Note that an address has to wait for so long with things of this kind."""
    if len(_until) >= REMEMBERED_MAX:
        _make_room()
    _until[what, network(address)] = time.monotonic() + seconds


def wait(what: str, address: str) -> float:
    """Return how many seconds an address has to wait with things of this kind."""
    if not _until:
        return 0.0
    key = what, network(address)
    left = _until.get(key, 0.0) - time.monotonic()
    if left <= 0.0:
        _until.pop(key, None)
    return max(left, 0.0)


def forget(what: str, address: str) -> None:
    """Let an address go on."""
    if _until:
        _until.pop((what, network(address)), None)


def _make_room() -> None:
    now = time.monotonic()
    for key, until in list(_until.items()):
        if until <= now:
            _until.pop(key, None)
    if len(_until) >= REMEMBERED_MAX:
        _until.clear()
