"""Guessing passwords and making accounts: how often, from where, and what it costs the others.

Naive forms that would fail: look whether one may, and count the failure after the hash; count
only names that exist; lock an account, and with it its owner.
"""

import contextlib
import itertools
import math
import time
from collections.abc import Iterator
from unittest import mock

import httpx
import pytest
from django.db import OperationalError

from accounts import attempts
from api.errors import ChatError, InvalidCredentials, RateLimited
from tests import secrets_seen
from tests.clients import PASSWORD, Person, at_once
from tests.servers import Server, World, on_both_servers, one_world
from tests.test_operators import operate

WRONG = "not the password"
_hosts = itertools.count(1)


@pytest.fixture(scope="module")
def proxied(world: World) -> Iterator[Server]:
    """A server behind one proxy: a client has the address that the proxy tells."""
    with world.beside({}, TRUSTED_PROXY_COUNT="1") as server:
        yield server


@pytest.fixture(scope="module")
def mean(world: World) -> Iterator[Server]:
    """A server that lets little be tried from one address."""
    limits = {
        "login_failures_per_minute": 0.01,
        "login_failures_burst": 8,
        "registrations_per_hour": 1,
        "registrations_burst": 2,
    }
    with world.beside(limits, TRUSTED_PROXY_COUNT="1") as server:
        yield server


def somewhere() -> str:
    """Return an address that nobody has used."""
    number = next(_hosts)
    return f"10.9.{number // 250}.{number % 250 + 1}"


def login(server: Server, name: str, password: str = PASSWORD, at: str = "") -> httpx.Response:
    """Try to sign in from an address."""
    body = {"username": name, "password": password}
    headers = {"X-Forwarded-For": at or somewhere()}
    return Person(server.url, {}).call("POST", "/auth/login", json=body, headers=headers)


class Guesses:
    """Wrong guesses at one name until one has to wait; pauses may go by on a slow machine."""

    def __init__(self, server: Server, name: str, at: str = "") -> None:
        self.made = 0
        began = time.monotonic()
        while (answer := login(server, name, WRONG, at=at)).status_code == 401:
            self.made += 1
        assert answer.json()["code"] == "rate_limited"
        self.refusal = answer
        self.waits = int(answer.headers["Retry-After"])
        self.refused_at = time.monotonic()
        self.pauses = int(math.log2(time.monotonic() - began + 1))  # that may have gone by

    def may_be_over(self) -> bool:
        """Tell whether the pause may have gone by; it was rounded up to a second."""
        return time.monotonic() - self.refused_at > self.waits - 1

    def of(self, free: int) -> bool:
        """Tell whether as many were made as may be, before the first pause."""
        return free <= self.made <= free + self.pauses


def register(server: Server, at: str) -> httpx.Response:
    """Try to make an account from an address."""
    body = {"username": f"new-{time.monotonic_ns() % 10**12}", "password": PASSWORD}
    headers = {"X-Forwarded-For": at}
    return Person(server.url, {}).call("POST", "/auth/register", json=body, headers=headers)


@on_both_servers
@pytest.mark.parametrize("known", [True, False])
def test_after_five_failures_a_name_waits_longer_each_time_whoever_asks_and_if_it_exists(
    proxied: Server, known: bool
) -> None:
    dora = Person.register(proxied.url, "dora")
    name = dora.name if known else f"no-{dora.name}"
    first = Guesses(proxied, name)
    assert first.of(5)
    problem = first.refusal.json()
    assert problem == {
        "type": "about:blank",
        "title": "Too Many Requests",
        "status": 429,
        "detail": "Too many attempts.",
        "code": "rate_limited",
        "request_id": problem["request_id"],
        "retryable": True,
        "retry_after": first.waits,
    }
    assert 1 <= first.waits <= 2**first.pauses
    right = login(proxied, name)
    assert right.status_code == 429 or first.may_be_over(), "also the right one has to wait"
    time.sleep(first.waits)
    second = Guesses(proxied, name)
    assert second.of(1)
    assert second.waits <= 2 ** (second.made + first.pauses)
    assert second.pauses or first.pauses or second.waits == 2
    if known:
        time.sleep(second.waits)
        assert login(proxied, name).status_code == 200
        assert Guesses(proxied, name).of(5)


@one_world
def test_many_guesses_at_the_same_moment_are_no_more_than_one_after_the_other(
    world: World,
) -> None:
    """The lane of hashing lets two through at once: one would be too many."""
    with world.beside({"login_failures": 1}, TRUSTED_PROXY_COUNT="1") as server:
        dora = Person.register(server.url, "dora")
        began = time.monotonic()
        calls = [lambda: login(server, dora.name, WRONG)] * 10
        statuses = [made.status_code for made in at_once(*calls)]
        pauses_over = int(math.log2(time.monotonic() - began + 1))
    assert set(statuses) == {401, 429}
    assert statuses.count(401) <= 1 + pauses_over


def test_a_hundred_guesses_that_begin_before_one_has_failed_are_five(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    nobody = attempts._Account("", frozenset())
    monkeypatch.setattr(attempts, "_account", lambda _: nobody)
    name = f"dora-{time.monotonic_ns()}"

    def guess() -> str:
        try:
            with attempts.signing_in(name, ""):
                time.sleep(0.1)  # as a hash, during which the others come
                raise InvalidCredentials
        except ChatError as error:
            return error.code

    codes = at_once(*[guess] * 100)
    assert set(codes) == {"invalid_credentials", "rate_limited"}
    assert codes.count("invalid_credentials") <= 6, "five, and one after the first pause"


@pytest.mark.parametrize("where", ["before the hash", "while the account is looked for"])
def test_a_database_that_is_away_is_no_wrong_guess(
    monkeypatch: pytest.MonkeyPatch, where: str
) -> None:
    """Against counting whatever is not right: after five 503 everybody would have to wait."""
    nobody = attempts._Account("", frozenset())
    name, home, tries = f"dora-{time.monotonic_ns()}", somewhere(), 0

    def account(_: str) -> attempts._Account:
        if where != "before the hash" and tries:
            raise OperationalError
        return nobody

    monkeypatch.setattr(attempts, "_account", account)
    for tries in range(60, -1, -1):  # the last one is made when the database is back
        with (
            pytest.raises(OperationalError if tries else InvalidCredentials),
            attempts.signing_in(name, home),
        ):
            raise OperationalError if tries else InvalidCredentials
    for _ in range(4):
        with pytest.raises(InvalidCredentials), attempts.signing_in(name, home):
            raise InvalidCredentials
    with pytest.raises(RateLimited), attempts.signing_in(name, home):
        raise InvalidCredentials


def test_an_address_that_has_to_wait_asks_the_database_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Against looking first for what is known of the account."""
    account = mock.Mock(return_value=attempts._Account("", frozenset()))
    monkeypatch.setattr(attempts, "_account", account)
    home = somewhere()
    for number in range(60):
        with (
            contextlib.suppress(InvalidCredentials, RateLimited),
            attempts.signing_in(f"dora-{number}", home),
        ):
            raise InvalidCredentials
    assert account.call_count == 50
    with pytest.raises(RateLimited):
        attempts.check("failures", home)
    attempts.check("registrations", home)
    attempts.check("failures", somewhere())


def test_a_password_that_an_operator_sets_is_not_to_be_waited_for(world: World) -> None:
    """Against forgetting in the memory of the command, or only where there is Redis."""
    with world.beside({}, TRUSTED_PROXY_COUNT="1") as server:
        dora = Person.register(server.url, "dora")
        home = somewhere()
        assert login(server, dora.name, at=home).status_code == 200
        for at in (home, somewhere()):
            assert Guesses(server, dora.name, at=at).of(5)
        another = f"another {PASSWORD}"
        secrets_seen.add(another)
        done = operate(world, "set_password", dora.name, given=another + "\n")
        assert done.returncode == 0, done.stderr
        for at in (home, somewhere()):
            assert login(server, dora.name, WRONG, at=at).status_code == 401
            assert login(server, dora.name, another, at=at).status_code == 200


@on_both_servers
def test_strangers_cannot_lock_out_who_signed_in_from_there_before(proxied: Server) -> None:
    dora = Person.register(proxied.url, "dora")
    home = somewhere()
    assert login(proxied, dora.name, at=home).status_code == 200
    assert Guesses(proxied, dora.name).of(5)
    for _ in range(3):
        assert login(proxied, dora.name, at=home).status_code == 200
    assert Guesses(proxied, dora.name, at=home).of(5), "an allowance of its own, not none"


@one_world
def test_guessing_across_accounts_counts_for_the_address_and_success_does_not(
    mean: Server, world: World
) -> None:
    people = [Person.register(world.server.url, "dora") for _ in range(8)]
    home = somewhere()
    for person in people + people:
        assert login(mean, person.name, at=home).status_code == 200
    statuses = [login(mean, f"{person.name}-x", WRONG, at=home).status_code for person in people]
    assert statuses == [401] * 8
    assert login(mean, people[0].name, at=home).status_code == 429
    assert login(mean, people[0].name).status_code == 200


@one_world
def test_an_address_makes_so_many_accounts_and_no_more(mean: Server) -> None:
    home = somewhere()
    statuses = [found.status_code for found in at_once(*[lambda: register(mean, home)] * 10)]
    assert sorted(statuses) == [201, 201, *[429] * 8]
    assert register(mean, home).json()["retry_after"] > 3000
    assert register(mean, somewhere()).status_code == 201


@one_world
def test_the_present_password_cannot_be_guessed_by_who_holds_a_token(world: World) -> None:
    dora = Person.register(world.server.url, "dora")
    body = {"current_password": WRONG, "new_password": "another battery staple"}
    statuses = [
        found.status_code
        for found in at_once(*[lambda: dora.call("POST", "/auth/password", json=body)] * 20)
    ]
    assert statuses.count(401) <= 6
    assert statuses.count(429) >= 14
