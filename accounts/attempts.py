"""How often one may try: passwords by account and by address, new accounts by address.

An attempt is counted before it is known what comes of it, and given back when it was right or
came to nothing: a hundred at the same moment are not a hundred guesses, and a database that is
away makes nobody wait for it afterwards. Whoever has no address comes over a Unix socket, from
a proxy of ours that tells none, and is not counted by it.
"""

import hashlib
import math
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Literal, NamedTuple

from django.conf import settings

from accounts.models import User
from api import turned_away
from api.errors import InvalidCredentials, RateLimited
from api.limiter import limiter, network
from api.limits import Backoff, Rate

SESSIONS_MAX = 100  # the last used, ended ones too, whose addresses are known

Tried = Literal["failures", "registrations"]


class _Account(NamedTuple):
    """What is known of who has a name; of a name that nobody has, the same of nobody."""

    password: str
    networks: frozenset[str]


@contextmanager
def signing_in(username: str, address: str) -> Iterator[None]:
    """Try a password for a name, whether or not somebody has it.

    From where the person has signed in before they have an allowance of their own, so that
    strangers cannot lock them out. With another password all of it begins anew.

    Raises:
        RateLimited: too many have been wrong, for this account or from this address.
    """
    with _failures_from(address):
        account, own = _account(username), network(address)
        place = own if own in account.networks else "elsewhere"
        with _guesses(f"login:{username}:{place}:{_trace(account.password)}"):
            yield


@contextmanager
def confirming(user: User) -> Iterator[None]:
    """Try the password of somebody who is signed in.

    Raises:
        RateLimited: too many have been wrong.
    """
    with _guesses(f"password:{user.pk}:{_trace(user.password)}"):
        yield


def registering(address: str) -> None:
    """Count one more account from an address.

    Raises:
        RateLimited: there have been too many.
    """
    _take("registrations", address, settings.LIMITS.registrations)


def check(what: Tried, address: str) -> None:
    """Turn away an address that this process has refused, without asking anybody.

    Raises:
        RateLimited: its time is not over.
    """
    _refuse(turned_away.wait(what, address))


def _account(username: str) -> _Account:
    found = User.objects.filter(username=username).order_by("-sessions__last_used_at")
    rows = list(found.values_list("password", "sessions__address")[:SESSIONS_MAX])
    networks = frozenset(network(address) for _, address in rows if address)
    return _Account(rows[0][0] if rows else "", networks)


def _trace(password: str) -> str:
    """Return what tells one stored password from another, and nothing else about it."""
    return hashlib.sha256(password.encode()).hexdigest()[:16]


@contextmanager
def _guesses(key: str) -> Iterator[None]:
    free = settings.LIMITS.login_failures
    if free is None:
        yield
        return
    backoff = Backoff(free)
    _refuse(limiter().attempt(key, backoff))
    try:
        yield
    except InvalidCredentials:
        raise
    except BaseException:  # also a cancelled request: no password was wrong
        limiter().retract(key, backoff)
        raise
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
            turned_away.forget("failures", address)


def _take(what: Tried, address: str, rate: Rate | None, count: int = 1) -> None:
    if rate is None or not address:
        return
    verdict = limiter().take(f"{what}:{network(address)}", rate, count)
    if verdict.wait > 0.0:
        turned_away.remember(what, address, verdict.wait)
    _refuse(verdict.wait)


def _refuse(wait: float) -> None:
    if wait > 0.0:
        raise RateLimited("Too many attempts.", retry_after=math.ceil(wait))
