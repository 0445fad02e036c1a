"""What is asked for by, or for, somebody who is being erased at that moment.

A naive form believes what it has read before it waited: that there is such a person. So somebody
without a name is a member again, gets their name back, or leaves words behind that nothing will
ever take away.
"""

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import httpx
import psycopg
import pytest

from tests.clients import PASSWORD, Person
from tests.locks import held_until_all_wait, wait_for_locks
from tests.servers import World

Act = Callable[[], httpx.Response]


@pytest.fixture
def world(clustered: World) -> World:
    """Where locks can be watched."""
    return clustered


async def in_this_order(world: World, stream: str, *acts: Act) -> list[int]:
    """Let acts wait for a stream, one behind the other, then go on; return their statuses."""
    with held_until_all_wait(world, stream) as watcher:
        waiting = []
        for act in acts:
            waiting.append(asyncio.create_task(asyncio.to_thread(act)))
            await asyncio.to_thread(wait_for_locks, watcher, len(waiting))
    return [answer.status_code for answer in await asyncio.gather(*waiting)]


async def after_they_are_erased(world: World, person: Person, room: str, act: Act) -> int:
    """Let an act wait for a room until somebody has been erased; return its status."""
    with held_until_all_wait(world, room) as watcher:
        waiting = asyncio.create_task(asyncio.to_thread(act))
        await asyncio.to_thread(wait_for_locks, watcher, 1)
        await asyncio.to_thread(erasing(person))
    return (await waiting).status_code


def erasing(person: Person) -> Act:
    return partial(person.call, "POST", "/me/delete", json={"password": PASSWORD})


def kept(world: World, table: str, column: str, person: Person) -> int:
    """Count what there is of a person in a table."""
    with psycopg.connect(world.postgres_url or "") as connection:
        statement = f"SELECT count(*) FROM {table} WHERE {column} = %s"  # noqa: S608  ours
        row = connection.execute(statement.encode(), [person.id]).fetchone()
    assert row is not None
    return int(row[0])


def rooms_of(world: World, person: Person) -> int:
    return kept(world, "api_member", "user_id", person)


@pytest.mark.parametrize("way", ["added", "in a new room", "in a direct room"])
async def test_nobody_puts_them_into_a_room(
    world: World, alice: Person, bob: Person, way: str
) -> None:
    room = alice.create_room()["id"]
    alice.expect(201, "PUT", f"/blocks/{bob.id}")
    bob.expect(201, "PUT", f"/blocks/{alice.id}")  # so that they have streams
    alice.expect(204, "DELETE", f"/blocks/{bob.id}")
    bob.expect(204, "DELETE", f"/blocks/{alice.id}")
    new = {"name": "new", "kind": "private", "member_ids": [bob.id]}
    act = {
        "added": partial(alice.call, "PUT", f"/rooms/{room}/members/{bob.id}", json={}),
        "in a new room": partial(alice.call, "POST", "/rooms", json=new),
        "in a direct room": partial(
            alice.call, "POST", "/rooms/direct", json={"user_ids": [bob.id]}
        ),
    }[way]
    assert await in_this_order(world, bob.id, erasing(bob), act) == [204, 404]
    assert rooms_of(world, bob) == 0
    assert alice.get(f"/rooms/{room}")["member_count"] == 1
    assert [found["id"] for found in alice.get("/rooms")["items"]] == [room]


@pytest.mark.parametrize("way", ["joins", "takes up an invitation", "asks"])
async def test_they_do_not_come_in_themselves(
    world: World, alice: Person, bob: Person, way: str
) -> None:
    join = "request" if way == "asks" else "open"
    room = alice.create_room(kind="public", join=join)["id"]
    code = alice.expect(201, "POST", f"/rooms/{room}/invites", json={})["code"]
    path = {
        "joins": f"/rooms/{room}/join",
        "takes up an invitation": f"/invites/{code}/accept",
        "asks": f"/rooms/{room}/requests",
    }[way]
    act = partial(bob.call, "POST", path, json={"text": "It is me."} if way == "asks" else None)
    assert await after_they_are_erased(world, bob, room, act) == 404
    assert rooms_of(world, bob) == 0
    assert kept(world, "api_joinrequest", "user_id", bob) == 0
    assert alice.get("/notifications")["items"] == []


async def test_they_make_no_room(world: World, bob: Person) -> None:
    act = partial(bob.call, "POST", "/rooms", json={"name": "mine", "kind": "public"})
    bob.expect(200, "PATCH", "/me", json={"display_name": "Robert"})
    assert await in_this_order(world, bob.id, erasing(bob), act) == [204, 404]
    assert rooms_of(world, bob) == 0


async def test_they_get_no_name_back(world: World, alice: Person, bob: Person) -> None:
    room = alice.create_room(bob)["id"]
    bob.send(room)
    act = partial(bob.call, "PATCH", "/me", json={"display_name": "Robert"})
    assert await in_this_order(world, bob.id, erasing(bob), act) == [204, 401]
    (said,) = alice.get(f"/rooms/{room}/messages")["items"]
    assert said["sender"]["display_name"] is None


async def test_they_leave_no_words_and_no_wishes(world: World, alice: Person, bob: Person) -> None:
    direct = alice.expect(201, "POST", "/rooms/direct", json={"user_ids": [bob.id]})["id"]
    send_at = f"{datetime.now(UTC) + timedelta(days=9):%FT%TZ}"
    later = {"text": "soon", "send_at": send_at}
    acts: list[tuple[int, str, str, dict[str, Any]]] = [
        (404, "PUT", f"/rooms/{direct}/draft", {"text": "about to"}),
        (404, "POST", f"/rooms/{direct}/scheduled", later),
        (401, "PUT", "/me/presence", {"status": "away"}),
        (404, "PUT", f"/blocks/{alice.id}", {}),
    ]
    calls = [partial(bob.call, method, path, json=body) for _, method, path, body in acts]
    found = await in_this_order(world, bob.id, erasing(bob), *calls)
    assert found == [204, *(status for status, _, _, _ in acts)]
    for table, column in (
        ("api_draft", "user_id"),
        ("api_scheduledmessage", "sender_id"),
        ("accounts_presence", "user_id"),
        ("api_block", "blocker_id"),
    ):
        assert kept(world, table, column, bob) == 0, table


async def test_nobody_invites_them(world: World, alice: Person, bob: Person) -> None:
    room = alice.create_room()["id"]
    bob.expect(200, "PATCH", "/me", json={"display_name": "Robert"})
    act = partial(alice.call, "POST", f"/rooms/{room}/invites", json={"user_id": bob.id})
    assert await in_this_order(world, bob.id, erasing(bob), act) == [204, 400]
    assert kept(world, "api_notification", "user_id", bob) == 0
    assert alice.get(f"/rooms/{room}/invites")["items"] == []


async def test_who_made_an_invitation_is_erased_while_it_is_taken_up(
    world: World, alice: Person, bob: Person, carol: Person
) -> None:
    room = alice.create_room(bob, kind="public")["id"]
    code = bob.expect(201, "POST", f"/rooms/{room}/invites", json={})["code"]
    act = partial(carol.call, "POST", f"/invites/{code}/accept")
    assert await in_this_order(world, room, erasing(bob), act) == [204, 404]
    assert alice.get(f"/rooms/{room}")["member_count"] == 1


async def test_what_is_said_to_them_directly_is_told_to_nobody(
    world: World, alice: Person, bob: Person
) -> None:
    direct = alice.expect(201, "POST", "/rooms/direct", json={"user_ids": [bob.id]})["id"]
    erasing(bob)()
    alice.send(direct, "are you there?")
    assert kept(world, "api_notification", "user_id", bob) == 0
