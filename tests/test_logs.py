"""Log lines: one JSON object each, whatever a client sends, and the id that the client was told.

The naive form is a format string around the message (``{"message": "%s"}``, or plain text): with
it a line end in a path, a name or a header begins a line of the attacker's own.
"""

import asyncio
import io
import json
import logging
import uuid
from collections.abc import Iterator
from typing import Any

import pytest
from pytest_django import Settings

from api import tracing
from config.logs import JsonLines, NoQuery, TextLines
from realtime import pool
from tests.clients import Person, http
from tests.doors import Visit, opened
from tests.record import change
from tests.servers import World

FORGED = '\r\n{"level": "CRITICAL", "message": "forged"}\x1b[2J\x7f\x9b31m\u2028\u202e'
FIELDS = {"time", "level", "logger", "message", "process"}


def objects(log: str) -> list[dict[str, Any]]:
    """Return the lines of a log, which begins with what a start prints."""
    lines = log[log.index("{\n") if "{\n" in log else 0 :].split("\n")
    return [json.loads(line) for line in lines if line.startswith("{")]


def said(log: str, part: str) -> dict[str, Any]:
    """Return the one object whose message has this in it."""
    (found,) = [line for line in objects(log) if part in line["message"]]
    return found


@pytest.fixture
def broken(embedded: World) -> Iterator[tuple[Person, str, str]]:
    """A room with a message that nobody can read: the time of it is none."""
    alice = Person.register(embedded.server.url, "alice")
    room = alice.create_room()["id"]
    message = uuid.UUID(alice.send(room)["id"])
    change(embedded, "UPDATE api_message SET created_at = 'never' WHERE id = %s", message)
    yield alice, room, str(message)
    change(embedded, "DELETE FROM api_message WHERE id = %s", message)


def test_what_a_client_sends_stays_inside_its_line(embedded: World) -> None:
    with embedded.beside({}, LOG_FORMAT="json", LOG_LEVEL="DEBUG") as server:
        nobody = Person(server.url, {})
        http.get(f"{server.url}/%0d%0a%7b%22level%22:%22CRITICAL%22%7d%1b[2J%7f%c2%9b/path")
        body = {"username": f"alice{FORGED}", "password": f"nobody knows{FORGED}"}
        nobody.call("POST", "/auth/login", json=body)
        nobody.call("POST", "/auth/register", json=body)
        for name in ("User-Agent", "X-Request-ID", "Referer", "Origin"):
            value = b'{"level": "CRITICAL"}\x9b31m\x85'  # no client sends line ends
            nobody.call("GET", "/nothing", headers={name: value})
        log = server.log
    printed, _, logged = log.partition('\n{"time"')
    assert "forged" not in printed
    lines = ('{"time"' + logged).rstrip("\n").split("\n")
    for line in lines:
        assert set(json.loads(line)) >= FIELDS, line
        assert line.isascii()
        assert line.isprintable()
    assert "CRITICAL" not in {json.loads(line)["level"] for line in lines}
    assert said(log, "/path")["level"] == "WARNING"


def test_a_request_is_logged_under_the_id_that_its_client_was_told(embedded: World) -> None:
    with embedded.beside({}, LOG_FORMAT="json") as server:
        http.get(f"{server.url}/first", headers={"X-Request-ID": "named-by.the_client"})
        made = http.get(f"{server.url}/second").headers["X-Request-ID"]
        log = server.log
    assert said(log, "/first")["request_id"] == "named-by.the_client"
    line = said(log, "/second")
    assert (line["request_id"], line["logger"]) == (made, "django.request")
    assert line["process"] == server.process.pid
    assert line["time"].endswith("Z")


async def test_an_error_of_ours_has_its_traceback_in_the_one_object(
    embedded: World, broken: tuple[Person, str, str]
) -> None:
    person, room, message = broken
    with embedded.beside({}, LOG_FORMAT="json") as server:
        there = person.at(server.url)
        answer = await asyncio.to_thread(there.call, "GET", f"/messages/{message}")
        assert (answer.status_code, answer.json()["code"]) == (500, "internal")
        async with there.socket() as socket:
            await socket.opened()
            frame = await socket.ask("history", room_id=room)
            assert (frame["type"], frame["code"]) == ("error", "internal")
        unexpected = [line for line in objects(server.log) if line["message"] == "unexpected"]
    told = {answer.headers["X-Request-ID"], frame["request_id"]}
    assert {line["request_id"] for line in unexpected} == told
    for line in unexpected:
        assert line["level"] == "ERROR"
        assert line["traceback"].startswith("Traceback (most recent call last):\n")
        assert "Error" in line["traceback"].splitlines()[-1]


@pytest.mark.parametrize("handler", ["pool", "django"])
async def test_a_crash_outside_of_our_views_is_logged_under_its_id_too(
    settings: Settings, handler: str
) -> None:
    stream = io.StringIO()
    console = logging.StreamHandler(stream)
    console.setFormatter(JsonLines())
    console.addFilter(NoQuery())
    logging.getLogger().addHandler(console)
    try:
        async with opened(settings, handler) as door:
            visit = Visit(door, "GET", "/crashing", headers=[(b"x-request-id", b"a-crash")])
            await visit.whole()
    finally:
        logging.getLogger().removeHandler(console)
    (line,) = [found for found in objects(stream.getvalue()) if "traceback" in found]
    assert line["request_id"] == "a-crash"
    assert "ZeroDivisionError" in line["traceback"]


@pytest.mark.parametrize("formatter", [JsonLines(), TextLines()])
def test_a_line_is_a_line_and_tells_no_query(formatter: logging.Formatter) -> None:
    try:
        raise ValueError(f"GET /ws/?token=hidden HTTP/1.1{FORGED}")
    except ValueError as error:
        raised = (type(error), error, error.__traceback__)
    words = ("%s?token=hidden %s \ud83e", "/ws/", FORGED)
    record = logging.LogRecord("name", 20, "", 0, words[0], words[1:], raised)
    NoQuery().filter(record)
    text = formatter.format(record)
    first, *rest = text.split("\n")
    assert first.isprintable()
    assert "forged" in first
    assert "hidden" not in text
    assert all(line.isprintable() for line in rest)
    assert not any(line.startswith("{") for line in rest)


def test_development_speaks_to_people(embedded: World) -> None:
    http.get(f"{embedded.server.url}/a-path-for-people")
    lines = [line for line in embedded.server.log.splitlines() if "a-path-for-people" in line]
    assert [line.partition(" WARNING ")[2] for line in lines] == [
        "django.request: Not Found: /a-path-for-people"
    ]


@pytest.fixture
def jammed(embedded: World) -> Iterator[tuple[Person, str]]:
    """A room in which nothing can be said: its member has a role that there is not."""
    alice = Person.register(embedded.server.url, "alice")
    room = alice.create_room()["id"]
    statement = "UPDATE api_member SET role = %s WHERE room_id = %s"
    change(embedded, statement, "never", uuid.UUID(room))
    yield alice, room
    change(embedded, statement, "owner", uuid.UUID(room))


def unexpected(log: str) -> dict[str, dict[str, Any]]:
    """Return what was logged of errors of ours, by the id of the request."""
    found = [line for line in objects(log) if line["message"] == "unexpected"]
    return {line.get("request_id", "none"): line for line in found}


@pytest.mark.parametrize("sends", ["grouped", "single"])
async def test_what_one_send_of_many_has_done_is_logged_under_the_id_of_its_request(
    embedded: World, jammed: tuple[Person, str], sends: str
) -> None:
    """Against a writer for all, which knows no request, and threads that know no socket."""
    person, room = jammed
    with embedded.beside({}, LOG_FORMAT="json", SENDS=sends) as server:
        there = person.at(server.url)
        answer = await asyncio.to_thread(
            there.call,
            *("POST", f"/rooms/{room}/messages"),
            json={"text": "hello"},
            headers={"X-Request-ID": "named-send"},
        )
        assert (answer.status_code, answer.json()["code"]) == (500, "internal")
        async with there.socket() as one, there.socket() as other:
            told = {}
            for socket in (one, other):
                await socket.opened()
                frame = await socket.ask("message.send", room_id=room, text="hello")
                assert frame["code"] == "internal"
                told[frame["request_id"]] = socket.hello["connection_id"]
        lines = unexpected(server.log)
    assert len(set(told.values())) == 2
    assert lines.keys() == told.keys() | {"named-send"}
    assert {name: line.get("connection_id") for name, line in lines.items()} == {
        "named-send": None
    } | told


async def test_what_goes_wrong_on_a_socket_is_logged_under_its_connection(
    embedded: World, broken: tuple[Person, str, str]
) -> None:
    person, room, _ = broken
    with embedded.beside({}, LOG_FORMAT="json") as server:
        there = person.at(server.url)
        async with there.socket() as one, there.socket() as other:
            for socket in (one, other):
                await socket.opened()
            frame = await other.ask("history", room_id=room)
            await one.subscribe(room, since=0)
            assert (await one.closed())[1] == 4100, "what was missed cannot be read"
        log = server.log
    line = unexpected(log)[frame["request_id"]]
    assert line["connection_id"] == other.hello["connection_id"]
    assert said(log, "replay failed")["connection_id"] == one.hello["connection_id"]


async def test_a_handshake_that_fails_is_logged_under_its_connection_too(embedded: World) -> None:
    alice = Person.register(embedded.server.url, "alice")
    row = uuid.UUID(alice.id)
    with embedded.beside({}, LOG_FORMAT="json") as server:
        change(embedded, "UPDATE accounts_user SET created_at = 'never' WHERE id = %s", row)
        async with alice.at(server.url).socket() as socket:
            assert (await socket.closed())[1] == 4100
        change(embedded, "DELETE FROM accounts_user WHERE id = %s", row)
        line = said(server.log, "unexpected")
    assert uuid.UUID(line["connection_id"]).version == 7
    assert "request_id" not in line


@pytest.mark.django_db(transaction=True)  # the thread may have a connection, which it looks at
async def test_a_thread_that_works_for_a_socket_knows_for_which() -> None:
    """Against an executor of the loop's, which takes the function and leaves its context."""
    name = uuid.uuid4()
    tracing.connected(name)
    with tracing.named() as request:
        found = await pool.run(lambda: (tracing.connection_id.get(), tracing.request_id.get()))
    assert found == (str(name), request)
    assert await pool.run(tracing.request_id.get) is None
