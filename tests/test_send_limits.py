"""How much one person says in one room: one rate, whatever doors and processes it comes by.

Naive forms that would fail: a counter for each socket or process; a rate that is read before
the room is locked; counting what was said before, or refused, as said.
"""

import asyncio
import contextlib
import uuid
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest

from tests.clients import Person, at_once
from tests.record import change, in_seconds
from tests.servers import Server, World, on_both_servers

BURST = 5
RATE = {"sends_per_second": 0.001, "sends_burst": BURST}  # nothing comes back in a test
LIMITED = "rate_limited"
both_forms = pytest.mark.parametrize("world", ["embedded", "clustered", "daphne"], indirect=True)


@pytest.fixture(scope="module")
def slow(world: World) -> Iterator[tuple[Server, Server]]:
    """Two servers that let people say little; the same one twice where there is one."""
    with contextlib.ExitStack() as stack:
        first = stack.enter_context(world.beside(RATE))
        both = world.other is not world.server
        yield first, stack.enter_context(world.beside(RATE)) if both else first


def sent(person: Person, room: str, **more: Any) -> tuple[int, dict[str, Any]]:
    """Try to say something; return status and answer."""
    found = person.call("POST", f"/rooms/{room}/messages", json={"text": "hello"} | more)
    return found.status_code, found.json()


def waits(world: World, person: Person, seconds: float) -> None:
    """Have somebody who has used the burst up wait so long, in all of their rooms."""
    statement = "UPDATE api_member SET send_slot = %s WHERE user_id = %s"
    change(world, statement, in_seconds(BURST * 1_000 - seconds - 1), uuid.UUID(person.id))


@both_forms
def test_more_than_the_burst_waits_and_takes_no_number(
    slow: tuple[Server, Server], world: World
) -> None:
    alice = Person.register(slow[0].url, "alice")
    room, other = alice.create_room()["id"], alice.create_room()["id"]
    found = [sent(alice, room) for _ in range(BURST + 1)]
    assert [status for status, _ in found] == [201] * BURST + [429]
    problem = found[-1][1]
    assert problem == {
        "type": "about:blank",
        "title": "Too Many Requests",
        "status": 429,
        "detail": "Too much at once.",
        "code": LIMITED,
        "request_id": problem["request_id"],
        "retryable": True,
        "retry_after": problem["retry_after"],
    }
    assert 900 < problem["retry_after"] <= 1_000
    assert alice.get(f"/rooms/{room}")["last_seq"] == BURST + 1
    assert sent(alice, other)[0] == 201, "each room for itself"
    waits(world, alice, problem["retry_after"])
    assert [sent(alice, room)[0] for _ in range(2)] == [201, 429]


@both_forms
async def test_both_doors_and_all_processes_count_together(slow: tuple[Server, Server]) -> None:
    alice = Person.register(slow[0].url, "alice")
    bob = Person.register(slow[0].url, "bob")
    room = alice.create_room(bob)["id"]
    async with alice.socket() as one, alice.at(slow[1].url).socket() as two:
        for socket in (one, two):
            await socket.opened()
            for number in range(20):
                await socket.command("message.send", id=number, room_id=room, text="hello")
        here, there = alice, alice.at(slow[1].url)
        rest = await asyncio.to_thread(
            at_once, *[lambda: sent(here, room), lambda: sent(there, room)] * 10
        )
        replies = [await socket.reply(n) for socket in (one, two) for n in range(20)]
    said = [reply for reply in replies if reply["type"] == "ok"]
    passed = len(said) + [status for status, _ in rest].count(201)
    assert passed == BURST
    assert {reply["code"] for reply in replies if reply["type"] == "error"} == {LIMITED}
    refusal = next(reply for reply in replies if reply["type"] == "error")
    assert refusal["retryable"] is True
    assert 900 < refusal["retry_after"] <= 1_000
    assert sent(bob, room)[0] == 201, "each sender for themselves"


@both_forms
async def test_what_was_said_before_is_told_again_and_takes_nobodys_place(
    slow: tuple[Server, Server], world: World
) -> None:
    alice = Person.register(slow[0].url, "alice")
    room = alice.create_room()["id"]
    first = [alice.send(room, f"{n}", client_msg_id=f"{n}") for n in range(BURST)]
    assert sent(alice, room, client_msg_id="new")[1]["code"] == LIMITED
    again = [sent(alice, room, text=f"{n}", client_msg_id=f"{n}") for n in range(BURST)]
    assert again == [(200, message) for message in first]
    waits(world, alice, BURST * 1_000)
    async with alice.socket() as socket:
        await socket.opened()
        for n in [*range(BURST), *range(100, 100 + BURST)]:
            fields = {"room_id": room, "text": f"{n}", "client_msg_id": f"{n}"}
            await socket.command("message.send", id=n, **fields)
        replies = [await socket.reply(n) for n in [*range(BURST), *range(100, 100 + BURST)]]
    assert [reply["type"] for reply in replies] == ["ok"] * 2 * BURST, replies
    assert [reply["replayed"] for reply in replies] == [True] * BURST + [False] * BURST


@on_both_servers
def test_the_rate_spares_no_role_and_slow_mode_goes_before(slow: tuple[Server, Server]) -> None:
    alice = Person.register(slow[0].url, "alice")
    bob = Person.register(slow[0].url, "bob")
    room = alice.create_room(bob)["id"]
    alice.expect(200, "PATCH", f"/rooms/{room}", json={"slow_mode_seconds": 3600})
    assert sent(bob, room)[0] == 201
    assert sent(bob, room)[1]["code"] == "slow_mode"
    codes = [sent(alice, room)[1].get("code") for _ in range(BURST + 1)]
    assert codes == [None] * BURST + [LIMITED]


async def test_who_sends_in_many_rooms_and_reads_in_them_waits_for_nobody_in_a_circle(
    clustered: World,
) -> None:
    """One statement for all rows, in no order of rooms, would meet ``PUT /read`` crosswise."""
    limits = {"sends_per_second": 1_000, "sends_burst": 10_000}
    with clustered.beside(limits) as server:
        alice = Person.register(server.url, "alice")
        rooms = [alice.create_room()["id"] for _ in range(4)]
        async with alice.socket() as socket:
            await socket.opened()
            for turn in range(60):
                for place, room in enumerate(rooms[turn % 2 :] + rooms[: turn % 2]):
                    number = turn * 10 + place
                    await socket.command("message.send", id=number, room_id=room, text="x")
                order = rooms if turn % 3 else rooms[::-1]
                body = {"rooms": dict.fromkeys(order, turn + 2)}
                found = await asyncio.to_thread(alice.call, "PUT", "/read", json=body)
                assert found.status_code == 200, found.text
                for place in range(4):
                    assert (await socket.reply(turn * 10 + place))["type"] == "ok"


def test_without_a_rate_nothing_is_written_beside_the_message(clustered: World) -> None:
    alice = Person.register(clustered.server.url, "alice")
    room = alice.create_room()["id"]
    versions = set()
    for _ in range(3):
        alice.send(room)
        with psycopg.connect(clustered.postgres_url or "") as database:
            row = database.execute(
                "SELECT xmin::text, send_slot FROM api_member WHERE room_id = %s", [room]
            ).fetchone()
            versions.add(row)
    assert len(versions) == 1
    assert versions.pop()[1] is None  # type: ignore[index]
