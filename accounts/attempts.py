"""How often one may try: passwords by account and by address, new accounts by address.

An attempt is counted before it is known what comes of it, and given back when it was right: a
hundred at the same moment are not a hundred guesses. Whoever has no address comes through no
door of ours, and is not counted.
"""

import math
import uuid
from collections.abc import Iterator
from contextlib import contextmanager

from django.conf import settings

from accounts.models import Session
from api.errors import InvalidCredentials, RateLimited
from api.limiter import limiter, network
from api.limits import Backoff, Rate

SESSIONS_MAX = 100  # the last used, ended ones too, whose addresses are known


@contextmanager
def signing_in(username: str, address: str) -> Iterator[None]:
    """Try a password for a name, whether or not somebody has it.

    From where the person has signed in before they have an allowance of their own, so that
    strangers cannot lock them out.

    Raises:
        RateLimited: too many have been wrong, for this account or from this address.
    """
    own = network(address)
    place = own if own in _known_networks(username) else "elsewhere"
    with _failures_from(address), _guesses(f"login:{username}:{place}"):
        yield


@contextmanager
def confirming(user_id: uuid.UUID) -> Iterator[None]:
    """Try the password of somebody who is signed in.

    Raises:
        RateLimited: too many have been wrong.
    """
    with _guesses(f"password:{user_id}"):
        yield


def registering(address: str) -> None:
    """Count one more account from an address.

    Raises:
        RateLimited: there have been too many.
    """
    _take("registrations", address, settings.LIMITS.registrations)


def _known_networks(username: str) -> set[str]:
    sessions = Session.objects.filter(user__username=username).order_by("-last_used_at")
    return {network(known) for known in sessions.values_list("address", flat=True)[:SESSIONS_MAX]}


@contextmanager
def _guesses(key: str) -> Iterator[None]:
    free = settings.LIMITS.login_failures
    if free is None:
        yield
        return
    wait = limiter().attempt(key, Backoff(free))
    if wait > 0.0:
        raise RateLimited("Too many attempts.", retry_after=math.ceil(wait))
    yield
    limiter().forgive(key)


@contextmanager
def _failures_from(address: str) -> Iterator[None]:
    rate, wrong = settings.LIMITS.address_failures, False
    _take("failures", address, rate)
    try:
        yield
    except InvalidCredentials:
        wrong = True
        raise
    finally:
        if not wrong:
            _take("failures", address, rate, -1)


def _take(what: str, address: str, rate: Rate | None, count: int = 1) -> None:
    if rate is None or not address:
        return
    verdict = limiter().take(f"{what}:{network(address)}", rate, count)
    if verdict.wait > 0.0:
        raise RateLimited("Too many attempts.", retry_after=math.ceil(verdict.wait))
