"""Sends that wait at the same moment share a transaction; each is judged for itself.

``grouped``: both forms of sending, under the same tests. What only the grouped one can show,
who shares whose transaction, is read out of PostgreSQL (``xmin`` of the rows).
"""

import asyncio
from collections.abc import AsyncIterator, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from typing import Any

import psycopg
import pytest

from tests.clients import Person, Socket, told
from tests.locks import wait_for_locks
from tests.servers import World

both_forms = pytest.mark.parametrize("world", ["embedded", "clustered", "daphne"], indirect=True)
TOGETHER_SECONDS = 4
MANY = 150  # more than one socket may have under way, and more than one group


async def send(socket: Socket, number: int, room: str, text: str = "", **more: Any) -> None:
    """Send without waiting for the answer."""
    text = text or str(number)
    await socket.command("message.send", id=number, room_id=room, text=text, **more)


async def replies(socket: Socket, count: int) -> list[dict[str, Any]]:
    """Return the next replies, in the order in which they come."""
    found: list[dict[str, Any]] = []
    while len(found) < count:
        frame = await socket.receive()
        if frame["type"] in ("ok", "error"):
            found.append(frame)
    return found


@both_forms
async def test_what_one_socket_sends_at_once_is_said_and_answered_in_its_order(
    alice: Person,
) -> None:
    room = alice.create_room()["id"]
    async with alice.socket() as socket:
        await socket.opened()
        for number in range(MANY):
            await send(socket, number, room)
        answers = await replies(socket, MANY)
    assert [answer["id"] for answer in answers] == list(range(MANY))
    assert [answer["message"]["seq"] for answer in answers] == list(range(2, MANY + 2))
    items = alice.get(f"/rooms/{room}/messages?limit=200")["items"]
    assert [told(item) for item in items] == [answer["message"] for answer in answers]


@both_forms
async def test_what_is_refused_is_refused_alone_and_takes_no_number(
    alice: Person, bob: Person
) -> None:
    room, other = alice.create_room()["id"], bob.create_room()["id"]
    slow = alice.create_room(bob)["id"]
    alice.expect(200, "PATCH", f"/rooms/{slow}", json={"slow_mode_seconds": 3600})
    gone = bob.create_room()["id"]
    bob.expect(204, "DELETE", f"/rooms/{gone}")
    said = alice.send(room, "said", client_msg_id="said")
    async with bob.socket() as his, alice.socket() as socket:
        await his.opened()
        await socket.opened()
        await send(socket, 1, room, "first")
        await send(socket, 2, other)
        await send(socket, 3, room, "  ")
        await send(socket, 4, room, "said", client_msg_id="said")
        await send(socket, 5, room, "else", client_msg_id="said")
        await send(socket, 6, room, "last", reply_to_id=said["id"])
        await send(socket, 7, room, "x", reply_to_id=alice.id)
        await send(socket, 8, gone)
        await send(socket, 9, room, "very last")
        for number in (1, 2):
            await send(his, number, slow)
        answers = await replies(socket, 9)
        slowed = await replies(his, 2)
    codes = [answer.get("code") for answer in answers]
    assert codes == [
        *(None, "not_found", "invalid_request", None, "idempotency_conflict"),
        *(None, "invalid_request", "not_found", None),
    ]
    assert [answer.get("replayed") for answer in answers if "message" in answer] == [
        *(False, True, False, False)
    ]
    assert answers[3]["message"] == told(said)
    assert [item["text"] for item in alice.get(f"/rooms/{room}/messages")["items"]] == [
        *("said", "first", "last", "very last")
    ]
    assert alice.get(f"/rooms/{room}")["last_seq"] == 5
    assert [answer.get("code") for answer in slowed] == [None, "slow_mode"]
    assert alice.get(f"/rooms/{slow}")["last_seq"] == 4


@both_forms
async def test_the_same_message_twice_at_once_is_there_once(alice: Person) -> None:
    room = alice.create_room()["id"]
    async with alice.socket() as socket:
        await socket.opened()
        for number in range(20):
            await send(socket, number, room, "once", client_msg_id=f"{number % 2}")
        answers = await replies(socket, 20)
    assert sorted(answer["message"]["seq"] for answer in answers) == [2] * 10 + [3] * 10
    assert sum(not answer["replayed"] for answer in answers) == 2


@both_forms
async def test_what_follows_a_send_on_its_socket_comes_after_it(alice: Person) -> None:
    room = alice.create_room()["id"]
    async with alice.socket() as socket:
        await socket.opened()
        for number in range(20):
            await send(socket, number, room)
        await socket.command("history", id="history", room_id=room)
        found = await socket.reply("history")
    assert [item["text"] for item in found["items"]] == [str(number) for number in range(20)]


# --- who shares whose transaction -------------------------------------------------------


@pytest.fixture
def database(clustered: World) -> Iterator[psycopg.Connection]:
    """A connection that watches."""
    with psycopg.connect(clustered.postgres_url or "", autocommit=True) as connection:
        yield connection


@asynccontextmanager
async def held_up(
    clustered: World, database: psycopg.Connection, *rooms: str
) -> AsyncIterator[None]:
    """Hold the streams of rooms until one transaction has begun to wait for them."""
    with psycopg.connect(clustered.postgres_url or "") as holder:
        holder.execute("SELECT 1 FROM api_stream WHERE id = ANY(%s) FOR UPDATE", [list(rooms)])
        yield
        await asyncio.to_thread(wait_for_locks, database, 1)


def transactions(database: psycopg.Connection, room: str) -> list[int]:
    """Return by which transactions the messages of a room were written, in order."""
    found = database.execute(
        "SELECT xmin::text::bigint FROM api_message WHERE room_id = %s ORDER BY seq", [room]
    )
    return [number for (number,) in found.fetchall()]


async def test_what_waits_at_the_same_moment_over_any_door_shares_one_transaction(
    clustered: World, database: psycopg.Connection
) -> None:
    alice = Person.register(clustered.server.url, "alice")
    room, other = alice.create_room()["id"], alice.create_room()["id"]
    async with alice.socket() as one, alice.socket() as two:
        await one.opened()
        await two.opened()
        with ThreadPoolExecutor(2) as threads:
            async with held_up(clustered, database, room, other):
                await send(one, 1, room)
                await asyncio.to_thread(wait_for_locks, database, 1)
                posted = threads.submit(alice.send, room, "over REST")
                for number in range(2, 12):
                    await send(one, number, room)
                    await send(two, number, other)
                for socket in (one, two):  # a pong comes when all before it has been taken
                    await socket.command("ping", id="taken")
                    assert (await socket.reply("taken"))["type"] == "pong"
                await asyncio.sleep(1.5)  # for the POST, which says nothing before it is done
                assert (transactions(database, room), posted.done()) == ([], False)
            await replies(one, 11)
            await replies(two, 10)
            posted.result()
    first, *rest = transactions(database, room)
    assert set(rest) == set(transactions(database, other))
    assert (len(set(rest)), len(rest), first in rest) == (1, 11, False)


async def test_what_is_refused_in_a_transaction_of_many_is_refused_alone(
    clustered: World, database: psycopg.Connection
) -> None:
    alice = Person.register(clustered.server.url, "alice")
    bob = Person.register(clustered.server.url, "bob")
    room, slow = alice.create_room()["id"], alice.create_room(bob)["id"]
    alice.expect(200, "PATCH", f"/rooms/{slow}", json={"slow_mode_seconds": 3600})
    async with alice.socket() as hers, bob.socket() as his:
        await hers.opened()
        await his.opened()
        async with held_up(clustered, database, room):
            await send(hers, 1, room)  # all others wait behind this one
            await asyncio.to_thread(wait_for_locks, database, 1)
            for number in range(2, 10):
                await send(hers, number, room, "again", client_msg_id=f"{number % 2}")
                await send(his, number, slow)
                await send(his, 100 + number, room)
            for socket in (hers, his):
                await socket.command("ping", id="taken")
                await socket.reply("taken")
        answers, slowed = await replies(hers, 9), await replies(his, 16)
    assert [answer["message"]["seq"] for answer in answers] == [2, *[3, 4] * 4]
    assert [answer["replayed"] for answer in answers] == [False] * 3 + [True] * 6
    assert len({answer["message"]["id"] for answer in answers}) == 3
    codes = [answer.get("code") for answer in slowed]
    assert codes == [None, "not_found", *["slow_mode", "not_found"] * 7]
    rest = transactions(database, room)[1:]
    assert (len(rest), set(rest)) == (2, set(transactions(database, slow)))


async def test_a_database_that_goes_away_refuses_what_waits_and_nothing_after(
    clustered: World, database: psycopg.Connection
) -> None:
    alice = Person.register(clustered.server.url, "alice")
    room = alice.create_room()["id"]
    async with alice.socket() as socket:
        await socket.opened()
        async with held_up(clustered, database, room):
            await send(socket, 1, room)
            await asyncio.to_thread(wait_for_locks, database, 1)
            await send(socket, 2, room)
            await socket.command("ping", id="taken")
            await socket.reply("taken")
            database.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_locks WHERE NOT granted"
            ).fetchall()
            (refused,) = await replies(socket, 1)
            assert (refused["id"], refused["code"], refused["retryable"]) == (
                *(1, "unavailable"),
                True,
            )
        (second,) = await replies(socket, 1)
        assert second["message"]["seq"] == 2
        assert (await socket.ok("message.send", room_id=room, text="third"))["message"]["seq"] == 3


async def test_sends_to_several_rooms_and_read_markers_never_wait_in_a_circle(
    clustered: World,
) -> None:
    alice = Person.register(clustered.server.url, "alice")
    found = await asyncio.to_thread(
        clustered.scenario, "sends_beside_read_markers", alice.id, f"{TOGETHER_SECONDS}"
    )
    assert found == {"did": True, "failed": []}
