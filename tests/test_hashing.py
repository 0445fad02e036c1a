"""Hashing passwords: one hash for every answer, in a lane that leaves the others their threads.

Naive forms that would fail: hash only for names that exist; let hashing have every thread.
"""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator
from unittest import mock

import argon2
import pytest
import pytest_asyncio
from pytest_django import Settings

from accounts import actions
from accounts.models import User
from api.clock import now
from api.errors import InvalidCredentials
from config import http
from config.http import HttpDoor
from tests.clients import PASSWORD
from tests.doors import HANDLERS, Visit, opened, story
from tests.test_login_limits import WRONG


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("who", ["unknown", "disabled", "wrong", "right", "no such password"])
def test_every_answer_costs_exactly_one_hash(who: str) -> None:
    made = {"password": PASSWORD, "display_name": None, "device": "", "address": ""}
    name = f"dora-{now().timestamp()}".replace(".", "-")[:32]
    actions.register(username=name, **made)  # type: ignore[arg-type]
    if who == "disabled":
        User.objects.filter(username=name).update(disabled_at=now())
    given = {"unknown": "nobody-at-all"}.get(who, name)
    password = {"wrong": WRONG, "no such password": "x" * 1_000}.get(who, PASSWORD)
    hashed = mock.Mock(side_effect=argon2.low_level.hash_secret)
    verified = mock.Mock(side_effect=argon2.low_level.verify_secret)
    with (
        mock.patch("argon2.low_level.hash_secret", hashed),
        mock.patch("argon2._password_hasher.verify_secret", verified),
        contextlib.suppress(InvalidCredentials) if who != "right" else contextlib.nullcontext(),
    ):
        actions.login(username=given, password=password, device="", address="")
    assert hashed.call_count + verified.call_count == 1


@pytest_asyncio.fixture(params=HANDLERS)
async def door(
    request: pytest.FixtureRequest, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[HttpDoor]:
    """A door at which ``/waiting`` is what takes long."""
    monkeypatch.setattr(http, "HASHING", {"/waiting"})
    monkeypatch.setattr(http, "HASHING_WAITING_MAX", 8)
    async with opened(settings, request.param) as made:
        yield made


async def test_a_flood_of_hashing_leaves_the_other_threads_alone(door: HttpDoor) -> None:
    visits = [Visit(door, "POST", "/waiting") for _ in range(12)]
    running = [asyncio.create_task(visit.whole()) for visit in visits]
    await story.until("view", times=http.HASHING_THREADS)
    await asyncio.wait(running, return_when=asyncio.FIRST_COMPLETED)
    turned_away = [visit for visit in visits if visit.sent]
    assert [visit.sent[0]["status"] for visit in turned_away] == [503] * 2
    assert json.loads(turned_away[0].body)["code"] == "unavailable"
    assert turned_away[0].headers[b"retry-after"] == b"1"
    for _ in range(10):
        other = Visit(door, "GET", "/plain")
        await other.whole()
        assert other.sent[0]["status"] == 200
    assert story.happened.count("view") == http.HASHING_THREADS + 10
    story.may_go_on.set()
    await asyncio.gather(*running)
    assert sorted(visit.sent[0]["status"] for visit in visits) == [200] * 10 + [503] * 2
    assert story.happened.count("view done") == 10


async def test_who_reads_an_answer_slowly_has_had_the_turn(door: HttpDoor) -> None:
    """Against giving the turn up when the answer has been taken: two who never read it end all."""
    story.may_go_on.set()
    slow = [Visit(door, "POST", "/waiting") for _ in range(http.HASHING_THREADS)]
    for visit in slow:
        visit.reading.clear()
    running = [asyncio.create_task(visit.whole()) for visit in slow]
    for visit in slow:
        await visit.offered.wait()
    other = Visit(door, "POST", "/waiting")
    await other.whole()
    assert other.sent[0]["status"] == 200
    for visit in slow:
        visit.reading.set()
    await asyncio.gather(*running)


def test_what_hashes_is_what_the_lane_is_for() -> None:
    assert {
        "/api/v1/auth/login",
        "/api/v1/auth/register",
        "/api/v1/auth/password",
    } == http.HASHING
