"""Requests behind the door: a thread each, signals in pairs, crashes answered, a clean end."""

import asyncio
import json
import threading
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio
from django.core import signals
from pytest_django import Settings

from config import asgi, http
from config.handlers import THREADS
from config.http import HttpDoor
from realtime import here
from tests.doors import HANDLERS, Visit, opened, story, told


@pytest_asyncio.fixture(params=HANDLERS)
async def door(request: pytest.FixtureRequest, settings: Settings) -> AsyncIterator[HttpDoor]:
    """A door, with either handler inside."""
    async with opened(settings, request.param) as made:
        yield made


@pytest_asyncio.fixture
async def pool(settings: Settings) -> AsyncIterator[HttpDoor]:
    """A door with the pool inside."""
    async with opened(settings, "pool") as made:
        yield made


def problem(visit: Visit) -> tuple[int, str]:
    """Return the status and the code of a refusal, which is answered under its id."""
    told = json.loads(visit.body)
    assert visit.headers[b"content-type"] == b"application/problem+json"
    assert visit.headers[b"x-request-id"] == told["request_id"].encode() != b""
    return visit.sent[0]["status"], told["code"]


# --- signals --------------------------------------------------------------------------------


@pytest.mark.parametrize("path", ["/plain", "/few"])
async def test_a_request_stays_on_one_thread_from_its_first_signal_to_its_last(
    door: HttpDoor, path: str
) -> None:
    await Visit(door, "GET", path).whole()
    await story.until("finished")
    assert [what for what in story.happened if what != "part"] == (
        ["started", "view", "finished"]
        if path == "/plain"
        else ["started", "view", "closed", "finished"]
    )
    assert len(set.union(*story.threads.values())) == 1
    assert threading.get_ident() not in story.threads["view"]


@pytest.mark.parametrize("path", ["/plain", "/large", "/few", "/crashing", "/nowhere", "/file"])
@pytest.mark.parametrize("method", ["GET", "HEAD"])
async def test_every_request_starts_once_and_finishes_once(
    door: HttpDoor, method: str, path: str
) -> None:
    await Visit(door, method, path).whole()
    await story.until("finished")
    assert (story.happened.count("started"), story.happened.count("finished")) == (1, 1)


# --- crashes --------------------------------------------------------------------------------


@pytest.mark.parametrize("path", ["/crashing", "/crashing-endpoint"])
async def test_a_crash_in_a_view_is_told_to_its_signal_and_answered(
    door: HttpDoor, path: str
) -> None:
    visit = Visit(door, "GET", path)
    with told(signals.got_request_exception, "exception"):
        await visit.whole()
    assert problem(visit) == (500, "internal")
    assert story.happened == ["started", "exception", "finished"]


class Fault(Exception):
    """Of a stranger's receiver."""


def failing(**_: Any) -> None:
    raise Fault


async def test_a_crash_before_the_view_is_answered(door: HttpDoor) -> None:
    visit = Visit(door, "GET", "/plain")
    signals.request_started.connect(failing)
    try:
        await visit.whole()
    finally:
        signals.request_started.disconnect(failing)
    assert problem(visit) == (500, "internal")
    assert "view" not in story.happened
    await Visit(door, "GET", "/plain").whole()
    assert "view" in story.happened


async def test_a_request_that_could_not_start_finishes_too(pool: HttpDoor) -> None:
    signals.request_started.connect(failing)
    try:
        await Visit(pool, "GET", "/plain").whole()
    finally:
        signals.request_started.disconnect(failing)
    assert story.happened == ["started", "finished"]


def failing_middleware(get_response: Any) -> Any:
    """A middleware that fails when the view has answered."""

    def middleware(request: Any) -> Any:
        get_response(request)
        raise Fault

    return middleware


@pytest.mark.parametrize("handler", HANDLERS)
async def test_a_crash_after_the_view_is_answered(settings: Settings, handler: str) -> None:
    settings.MIDDLEWARE = [f"{__name__}.failing_middleware"]
    async with opened(settings, handler) as door:
        visit = Visit(door, "GET", "/plain")
        await visit.whole()
    assert problem(visit) == (500, "internal")
    assert story.happened == ["started", "view", "finished"]


async def test_a_crash_after_the_answer_changes_nothing_of_it(
    pool: HttpDoor, caplog: pytest.LogCaptureFixture
) -> None:
    visit = Visit(pool, "GET", "/plain")
    signals.request_finished.connect(failing)
    try:
        await visit.whole()
    finally:
        signals.request_finished.disconnect(failing)
    assert (visit.sent[0]["status"], visit.body) == (200, b"plain")
    assert "after the answer" in caplog.text


# --- the pool -------------------------------------------------------------------------------


async def test_one_after_the_other_needs_one_thread(pool: HttpDoor) -> None:
    for _ in range(3 * THREADS):
        await Visit(pool, "GET", "/plain").whole()
    assert len(story.threads["view"]) == 1


async def test_no_more_threads_than_there_may_be_whatever_comes(pool: HttpDoor) -> None:
    visits = [Visit(pool, "GET", "/waiting") for _ in range(3 * THREADS)]
    serving = [asyncio.create_task(visit.whole()) for visit in visits]
    await story.until("view", THREADS)
    story.may_go_on.set()
    await asyncio.gather(*serving)
    assert [visit.body for visit in visits] == [b"waited"] * 3 * THREADS
    assert len(story.threads["view"]) == THREADS


async def test_who_reads_slowly_holds_no_thread(pool: HttpDoor) -> None:
    slow = [Visit(pool, "GET", path) for path in ["/endless", "/large"] for _ in range(THREADS)]
    for visit in slow:
        visit.reading.clear()
    serving = [asyncio.create_task(visit.whole()) for visit in slow]
    await story.until("part", THREADS)
    quick = Visit(pool, "GET", "/plain")
    await quick.whole()
    assert quick.body == b"plain"
    for visit in slow:
        visit.leave()
        visit.reading.set()
    await asyncio.gather(*serving)
    await story.until("closed", THREADS)


async def test_a_thread_given_up_on_is_nobodys_until_it_is_done(pool: HttpDoor) -> None:
    given_up = asyncio.create_task(Visit(pool, "GET", "/waiting").whole())
    await story.until("view")
    given_up.cancel()
    await asyncio.sleep(0)
    quick = [Visit(pool, "GET", "/plain") for _ in range(THREADS)]
    await asyncio.gather(*[visit.whole() for visit in quick])
    assert [visit.body for visit in quick] == [b"plain"] * THREADS
    assert "view done" not in story.happened
    story.may_go_on.set()
    with pytest.raises(asyncio.CancelledError):
        await given_up


# --- too many -------------------------------------------------------------------------------


async def test_more_than_may_wait_are_refused_at_once_and_the_others_served(
    door: HttpDoor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(http, "WAITING_MAX", 1)
    visits = [Visit(door, "GET", "/waiting") for _ in range(THREADS + 1)]
    serving = [asyncio.create_task(visit.whole()) for visit in visits]
    unfinished = Visit(door, "POST", "/plain")
    sending = asyncio.create_task(unfinished.run())  # counts for nothing: it has not sent all
    await story.until("view", THREADS)
    late = Visit(door, "GET", "/plain")
    await late.whole()
    assert problem(late) == (503, "unavailable")
    assert late.headers[b"retry-after"] == b"1"
    story.may_go_on.set()
    await asyncio.gather(*serving)
    assert [visit.body for visit in visits] == [b"waited"] * (THREADS + 1)
    unfinished.say({"type": "http.request"})
    await sending
    assert unfinished.body == b"plain"


async def test_who_is_being_answered_takes_nobodys_place(
    door: HttpDoor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(http, "WAITING_MAX", 1 - THREADS)
    slow = Visit(door, "GET", "/endless")
    serving = asyncio.create_task(slow.whole())
    await story.until("part")
    quick = Visit(door, "GET", "/plain")
    await quick.whole()
    assert quick.body == b"plain"
    slow.leave()
    await serving


# --- the end --------------------------------------------------------------------------------


@pytest.mark.usefixtures("pool")
async def test_the_end_waits_for_what_is_under_way() -> None:
    door = HttpDoor()
    visits = [Visit(door, "GET", "/waiting") for _ in range(THREADS + 1)]
    serving = [asyncio.create_task(visit.whole()) for visit in visits]
    await story.until("view", THREADS)
    ending = asyncio.create_task(door.end())
    await asyncio.sleep(0)
    assert not ending.done()
    story.may_go_on.set()
    await asyncio.gather(*serving, ending)
    assert [visit.body for visit in visits] == [b"waited"] * (THREADS + 1)
    for thread in threading.enumerate():
        if thread.ident in story.threads["view"]:
            await asyncio.to_thread(thread.join, 10)
            assert not thread.is_alive()


@pytest.mark.usefixtures("pool")
async def test_who_reads_slowly_does_not_hold_up_the_end() -> None:
    door = HttpDoor()
    slow = Visit(door, "GET", "/endless")
    slow.reading.clear()
    serving = asyncio.create_task(slow.whole())
    await story.until("part")
    await door.end()
    serving.cancel()  # as the loop does with what is left
    done, _ = await asyncio.wait([serving], timeout=10)
    assert done == {serving}


async def test_the_door_ends_with_the_server_and_before_what_its_requests_need(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    happened: list[str] = []

    async def end() -> None:
        happened.append("door ended")

    async def shut_down() -> None:
        happened.append("hub shut down")

    async def receive() -> dict[str, str]:
        return {"type": "lifespan.shutdown"}

    async def send(message: dict[str, str]) -> None:
        happened.append(message["type"])

    monkeypatch.setattr(asgi.http, "end", end)
    monkeypatch.setattr(here, "shut_down", shut_down)
    await asgi.application({"type": "lifespan"}, receive, send)
    assert happened == ["door ended", "hub shut down", "lifespan.shutdown.complete"]
