"""How answers leave the door: in parts, as fast as they are taken, while somebody is there."""

import asyncio
from collections.abc import AsyncIterator

import httpx
import pytest
import pytest_asyncio
from pytest_django import Settings

from config.http import HttpDoor
from tests.doors import HANDLERS, LARGE, Visit, opened, served, story


@pytest_asyncio.fixture(params=HANDLERS)
async def door(request: pytest.FixtureRequest, settings: Settings) -> AsyncIterator[HttpDoor]:
    """A door, with either handler inside."""
    async with opened(settings, request.param) as made:
        yield made


# --- in parts -------------------------------------------------------------------------------


async def test_a_large_answer_leaves_in_parts_and_says_its_length(door: HttpDoor) -> None:
    visit = Visit(door, "GET", "/large")
    start, *parts = await visit.whole()
    assert (start["status"], visit.body) == (200, LARGE)
    assert visit.headers[b"content-length"] == str(len(LARGE)).encode()
    assert [part["more_body"] for part in parts] == [True, True, True, False]


@pytest.mark.parametrize("path", ["/few", "/few-async"])
async def test_a_streamed_answer_ends_with_its_last_part_not_with_an_empty_one(
    door: HttpDoor, path: str
) -> None:
    visit = Visit(door, "GET", path)
    await visit.whole()
    assert visit.body == b"onetwo"
    assert [part.get("more_body", False) for part in visit.sent[1:]] == [True, True, True, False]
    assert b"content-length" not in visit.headers
    assert story.happened.count("closed") == story.happened.count("finished") == 1


async def test_a_file_leaves_in_large_parts(door: HttpDoor) -> None:
    visit = Visit(door, "GET", "/file")
    await visit.whole()
    assert visit.body == LARGE
    assert visit.headers[b"content-length"] == str(len(LARGE)).encode()
    assert len(visit.sent) == 1 + len(LARGE) // 65_536 + 1


async def test_no_part_is_made_before_the_last_one_is_taken(door: HttpDoor) -> None:
    visit = Visit(door, "GET", "/endless")
    visit.reading.clear()
    serving = asyncio.create_task(visit.whole())
    await visit.offered.wait()
    for made in (1, 2, 3):
        assert story.happened.count("part") == made
        await visit.take_one()
    visit.leave()
    await serving


async def test_nothing_has_no_length(door: HttpDoor) -> None:
    visit = Visit(door, "GET", "/nothing")
    await visit.whole()
    assert (visit.sent[0]["status"], visit.body) == (204, b"")
    assert b"content-length" not in visit.headers


async def test_an_answer_that_breaks_off_does_not_look_whole(door: HttpDoor) -> None:
    async with served(door) as port:
        with pytest.raises(httpx.RemoteProtocolError):
            await asyncio.to_thread(httpx.get, f"http://127.0.0.1:{port}/broken")


# --- HEAD -----------------------------------------------------------------------------------


@pytest.mark.parametrize("path", ["/plain", "/large", "/nothing", "/file", "/few", "/nowhere"])
async def test_head_has_the_headers_of_get_and_no_body(door: HttpDoor, path: str) -> None:
    get, head = Visit(door, "GET", path), Visit(door, "HEAD", path)
    await get.whole()
    await head.whole()
    unlike = (b"x-request-id", b"content-length") if path == "/nowhere" else (b"x-request-id",)
    for visit in (get, head):
        visit.sent[0]["headers"] = [
            item for item in visit.sent[0]["headers"] if item[0] not in unlike
        ]
    assert head.sent[0] == get.sent[0]
    assert head.body == b""


@pytest.mark.parametrize("path", ["/endless", "/endless-async", "/broken"])
async def test_head_makes_no_part_of_a_streamed_answer(door: HttpDoor, path: str) -> None:
    visit = Visit(door, "HEAD", path)
    await visit.whole()
    assert (visit.sent[0]["status"], visit.body) == (200, b"")
    assert "part" not in story.happened


async def test_a_refusal_of_head_has_no_body_either(door: HttpDoor) -> None:
    visit = Visit(door, "HEAD", "/plain", query_string=b"\xff")
    await visit.whole()
    assert (visit.sent[0]["status"], visit.body) == (400, b"")
    assert int(visit.headers[b"content-length"]) > 0


# --- clients that go ------------------------------------------------------------------------


@pytest.mark.parametrize("path", ["/endless", "/endless-async"])
async def test_nothing_is_made_for_a_client_that_has_gone(door: HttpDoor, path: str) -> None:
    async with served(door) as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(f"GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
        await reader.readuntil(b"\r\n\r\n")
        await reader.read(1)
        writer.transport.abort()
        await story.until("finished")
    await story.until("closed")
    assert story.happened.count("finished") == story.happened.count("started") == 1
    after = story.happened[story.happened.index("closed") :]
    assert "part" not in after


@pytest.mark.parametrize("path", ["/endless", "/endless-async"])
async def test_nothing_is_made_for_a_client_that_stops_reading_and_goes(
    door: HttpDoor, path: str
) -> None:
    visit = Visit(door, "GET", path)
    visit.reading.clear()
    serving = asyncio.create_task(visit.whole())
    await visit.offered.wait()
    visit.leave()
    await serving
    await story.until("finished")
    assert story.happened == ["started", "view", "part", "closed", "finished"]


async def test_a_request_ends_once_when_its_client_goes_while_django_works(door: HttpDoor) -> None:
    visit = Visit(door, "GET", "/waiting")
    serving = asyncio.create_task(visit.whole())
    await story.until("view")
    visit.leave()
    story.may_go_on.set()
    await serving
    await story.until("finished")
    assert story.happened == ["started", "view", "view done", "finished"]


@pytest.mark.parametrize("path", ["/waiting", "/endless"])
async def test_a_request_ends_once_when_the_server_gives_it_up(
    settings: Settings, path: str
) -> None:
    async with opened(settings, "pool") as pool:
        serving = asyncio.create_task(Visit(pool, "GET", path).whole())
        await story.until("view")
        serving.cancel()
        story.may_go_on.set()
        with pytest.raises(asyncio.CancelledError):
            await serving
        await story.until("finished")
    assert story.happened.count("started") == story.happened.count("finished") == 1
    assert "part" not in story.happened or "closed" in story.happened
