"""Requests and PostgreSQL: connections kept, lost and made again, and closed at the end."""

import asyncio
import collections
from collections.abc import Iterator
from typing import Any

import httpx
import psycopg
import pytest

from config.handlers import THREADS
from realtime import pool
from tests import servers
from tests.clients import Person, at_once, until
from tests.doors import HANDLERS
from tests.servers import Server, World

# Of the threads that do what is no request: sockets', what is sent, what is due.
OTHERS = pool.THREADS + pool.THREADS_FOR_ALL + 2
OURS = (
    "FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
    " AND backend_type = 'client backend'"
)


@pytest.fixture(scope="module")
def stored(postgres_url: str) -> Iterator[World]:
    """PostgreSQL, the in-process layer, one process."""
    url = servers.migrated_database(postgres_url)
    with servers.embedded(DATABASE_URL=url) as world:
        yield world


@pytest.fixture(params=HANDLERS)
def server(stored: World, request: pytest.FixtureRequest) -> Iterator[Server]:
    """A server with either handler, alone with the database."""
    stored.server.stop()
    with stored.beside({}, HTTP_HANDLER=request.param) as made:
        yield made


@pytest.fixture
def pooled(stored: World) -> Iterator[Server]:
    """A server with the pool, alone with the database."""
    stored.server.stop()
    with stored.beside({}) as made:
        yield made


def ask(world: World, what: str) -> list[Any]:
    """Ask the database about its connections, this one aside."""
    assert world.postgres_url
    with psycopg.connect(world.postgres_url) as connection:
        return [row[0] for row in connection.execute(f"SELECT {what} {OURS}".encode())]


def busy(person: Person, times: int) -> list[httpx.Response]:
    """Make so many requests at the same moment."""
    return at_once(*[lambda: person.call("GET", "/me")] * times)


async def test_lost_connections_cost_each_thread_one_request_and_no_socket(
    stored: World, server: Server
) -> None:
    alice = Person.register(server.url, "alice")
    async with alice.socket() as socket:
        await socket.opened()
        await asyncio.to_thread(busy, alice, 4 * THREADS)

        assert any(ask(stored, "pg_terminate_backend(pid)"))  # some may just have gone

        answers = [
            answer for _ in range(4) for answer in await asyncio.to_thread(busy, alice, 2 * THREADS)
        ]
        counted = collections.Counter(answer.status_code for answer in answers)
        assert set(counted) <= {200, 503}
        assert counted[503] <= THREADS
        assert {answer.status_code for answer in answers[-2 * THREADS :]} == {200}
        for answer in answers:
            if answer.status_code == 503:
                problem = answer.json()
                assert (problem["code"], problem["retryable"]) == ("unavailable", True)
                assert answer.headers["retry-after"] == "1"
        assert (await socket.ask("ping"))["type"] == "pong"
    assert "Traceback" not in server.log


def test_a_lost_connection_is_told_once(stored: World, pooled: Server) -> None:
    alice = Person.register(pooled.url, "alice")
    assert all(ask(stored, "pg_terminate_backend(pid)"))
    assert [alice.call("GET", "/me").status_code for _ in range(3)] == [503, 200, 200]


def test_a_thread_keeps_its_connection(stored: World, pooled: Server) -> None:
    alice = Person.register(pooled.url, "alice")
    before = ask(stored, "pid")
    for _ in range(2 * THREADS):
        alice.get("/me")
    assert set(before) <= set(ask(stored, "pid"))


def test_a_burst_opens_no_more_connections_than_there_are_threads(
    stored: World, pooled: Server
) -> None:
    alice = Person.register(pooled.url, "alice")
    busy(alice, 5 * THREADS)
    assert len(ask(stored, "pid")) <= THREADS + OTHERS


def test_djangos_own_handler_leaves_no_connection_behind(stored: World) -> None:
    stored.server.stop()
    with stored.beside({}, HTTP_HANDLER="django") as server:
        alice = Person.register(server.url, "alice")
        busy(alice, 5 * THREADS)
        assert until(lambda: len(ask(stored, "pid")) <= OTHERS)


def test_a_thread_asks_for_nothing_beside_the_request_and_closes_its_connection_at_the_end(
    stored: World, pooled: Server
) -> None:
    alice = Person.register(pooled.url, "alice")
    told = stored.scenario("statements_of_a_request", alice.tokens["access"])
    assert len(told["statements"]) == 2, "whose token it is, and the profile that is asked for"
    assert '"accounts_session"' in told["statements"][0]
    assert told["closed"] == [True]
