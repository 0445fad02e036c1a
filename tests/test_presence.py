"""Who is here: told truly to those who share a room, to nobody who should not know.

Naive forms that would fail: offline with the first tab that closes; here for ever, as the
process that had the socket was killed; a frame for everybody who comes, to everybody who is there.
"""

import asyncio
import signal
import time
from collections.abc import Iterator
from contextlib import AsyncExitStack
from functools import partial
from typing import Any

import pytest

from tests import servers
from tests.clients import OF_PROFILES, Person, Socket, at_once, until
from tests.servers import World, on_both_servers

SOON = 6.0  # two seconds by promise P8; the machine is busy, and the next bound is eighteen
GONE_SECONDS = 25.0  # twenty by promise P8, and a busy machine
NOTHING_SECONDS = 2.5
GHOSTS, SOCKETS_EACH = 50, 4  # two hundred sockets, as promise P8 says
LARGE = 200  # members; above it people are counted


def of(person: Person) -> dict[str, Any]:
    """Return a person as others show them."""
    return {name: value for name, value in person.user.items() if name not in OF_PROFILES}


def item(person: Person, status: str, last_seen_at: str | None = None) -> dict[str, Any]:
    """Return how a person is shown."""
    return {"user": of(person), "status": status, "last_seen_at": last_seen_at}


def presence(room: str, count: int, *items: dict[str, Any]) -> dict[str, Any]:
    """Return the frame."""
    return {"type": "presence", "room_id": room, "items": list(items), "count": count}


async def listening(stack: AsyncExitStack, person: Person, room: str) -> Socket:
    """Open a socket and subscribe it to a room."""
    socket = await (await stack.enter_async_context(person.socket())).opened()
    assert (await socket.subscribe(room))["refused"] == {}
    return socket


async def until_seen(socket: Socket, person: Person, status: str, seconds: float) -> dict[str, Any]:
    """Wait until a person is told to be seen like this; return how."""
    async with asyncio.timeout(seconds):
        while True:
            frame = await socket.shown("presence", seconds)
            for found in frame["items"]:
                if found["user"]["id"] == person.id and found["status"] == status:
                    assert isinstance(found, dict)
                    return found


def seen_in(viewer: Person, room: str) -> dict[str, str]:
    """Return how the people of a room are seen, over REST."""
    found = viewer.get(f"/rooms/{room}/presence")
    statuses = {shown["user"]["id"]: shown["status"] for shown in found["items"]}
    assert found["count"] == len([status for status in statuses.values() if status != "offline"])
    return statuses


async def until_rest(
    viewer: Person, room: str, person: Person, status: str, seconds: float
) -> None:
    """Wait until a person is seen like this over REST."""
    end = time.monotonic() + seconds
    while (await asyncio.to_thread(seen_in, viewer, room))[person.id] != status:
        assert time.monotonic() < end, f"not {status}"
        await asyncio.sleep(0.1)


async def nothing_told(socket: Socket, seconds: float = NOTHING_SECONDS) -> None:
    """Fail when anything about who is here is told."""
    with pytest.raises(TimeoutError):
        raise AssertionError(await socket.shown("presence", seconds))


# --- who is here ----------------------------------------------------------------------------


@on_both_servers
async def test_first_all_who_are_here_then_who_comes_and_goes(
    world: World, alice: Person, bob: Person
) -> None:
    room = alice.create_room(bob)["id"]
    async with AsyncExitStack() as stack:
        hers = await listening(stack, alice, room)
        assert await hers.shown("presence") == presence(room, 1, item(alice, "online"))
        async with bob.socket() as his:
            await his.opened()
            assert await hers.shown("presence") == presence(room, 2, item(bob, "online"))
        told = await hers.shown("presence", SOON)
        last = told["items"][0]["last_seen_at"]
        assert last is not None
        assert told == presence(room, 1, item(bob, "offline", last))
        ids = sorted([alice.id, bob.id])
        shown = {alice.id: item(alice, "online"), bob.id: item(bob, "offline", last)}
        rest = await asyncio.to_thread(alice.get, f"/rooms/{room}/presence")
        assert rest == {"items": [shown[found] for found in ids], "count": 1}


async def test_who_is_at_another_process_is_here_and_who_does_not_subscribe_as_well(
    world: World, alice: Person, bob: Person
) -> None:
    room = alice.create_room(bob)["id"]
    async with AsyncExitStack() as stack:
        hers = await listening(stack, alice, room)
        his = await (await stack.enter_async_context(bob.socket())).opened()
        await until_seen(hers, bob, "online", SOON)
        for viewer in (alice, bob):
            await until_rest(viewer, room, bob, "online", SOON)
            await until_rest(viewer, room, alice, "online", SOON)
        await his.connection.close()
        await until_seen(hers, bob, "offline", SOON)
        for viewer in (alice, bob):
            await until_rest(viewer, room, bob, "offline", SOON)


async def test_two_tabs_do_not_flicker_and_the_app_in_front_counts(
    world: World, alice: Person, bob: Person
) -> None:
    room = alice.create_room(bob)["id"]
    async with AsyncExitStack() as stack:
        hers = await listening(stack, alice, room)
        tab = await (await stack.enter_async_context(bob.socket())).opened()
        other = await (await stack.enter_async_context(bob.at(alice.url).socket())).opened()
        await until_seen(hers, bob, "online", SOON)
        await tab.command("active", active=False)
        await nothing_told(hers)
        await other.connection.close()
        await until_seen(hers, bob, "away", SOON)
        await tab.command("active", active=True)
        await until_seen(hers, bob, "online", SOON)
        assert (await tab.ask("active"))["code"] == "invalid_request"


async def test_a_socket_that_ends_without_a_word_may_come_back(
    world: World, alice: Person, bob: Person
) -> None:
    room = alice.create_room(bob)["id"]
    async with AsyncExitStack() as stack:
        hers = await listening(stack, alice, room)
        his = await (await stack.enter_async_context(bob.socket())).opened()
        await until_seen(hers, bob, "online", SOON)
        his.connection.transport.abort()
        await nothing_told(hers)
        again = await (await stack.enter_async_context(bob.socket())).opened()
        await nothing_told(hers)
        again.connection.transport.abort()
        began = time.monotonic()
        await until_seen(hers, bob, "offline", GONE_SECONDS)
        assert time.monotonic() - began > 10


async def test_signing_out_is_a_clean_end(world: World, alice: Person, bob: Person) -> None:
    room = alice.create_room(bob)["id"]
    async with AsyncExitStack() as stack:
        hers = await listening(stack, alice, room)
        his = await (await stack.enter_async_context(bob.socket())).opened()
        await until_seen(hers, bob, "online", SOON)
        await asyncio.to_thread(bob.expect, 204, "POST", "/auth/logout", json={})
        assert (await his.closed())[1] == 4009
        await until_seen(hers, bob, "offline", SOON)


# --- how one wants to be seen -----------------------------------------------------------------


async def test_a_person_chooses_how_they_are_seen_and_all_their_devices_know(
    world: World, alice: Person, bob: Person
) -> None:
    room = alice.create_room(bob)["id"]
    assert bob.get("/me/presence") == {"status": "online", "hide_last_seen": False}
    async with AsyncExitStack() as stack:
        hers = await listening(stack, alice, room)
        his = await (await stack.enter_async_context(bob.socket())).opened()
        await until_seen(hers, bob, "online", SOON)
        for chosen, shown in (
            ("dnd", "dnd"),
            ("away", "away"),
            ("invisible", "offline"),
            ("online", "online"),
        ):
            wanted = {"status": chosen, "hide_last_seen": False}
            answer = await asyncio.to_thread(
                bob.at(alice.url).expect, 200, "PUT", "/me/presence", json={"status": chosen}
            )
            assert answer == wanted
            assert (await his.until("presence.updated"))["data"] == wanted
            await until_seen(hers, bob, shown, SOON)
            assert bob.get("/me/presence") == wanted
        head = his.positions[bob.id]
        bob.expect(200, "PUT", "/me/presence", json={"status": "online"})
        assert bob.events(bob.id, head) == []
        bob.refused(400, "invalid_request", "PUT", "/me/presence", json={"status": "bored"})
        bob.refused(400, "invalid_request", "PUT", "/me/presence", json={})


async def test_who_is_invisible_is_never_seen_for_a_moment(
    world: World, alice: Person, bob: Person
) -> None:
    room = alice.create_room(bob)["id"]
    bob.expect(200, "PUT", "/me/presence", json={"status": "invisible"})
    async with AsyncExitStack() as stack:
        hers = await listening(stack, alice, room)
        assert await hers.shown("presence") == presence(room, 1, item(alice, "online"))
        his = await listening(stack, bob, room)
        assert await his.shown("presence") == presence(room, 1, item(alice, "online"))
        await nothing_told(hers)
        found = await asyncio.to_thread(alice.get, f"/rooms/{room}/presence")
        assert item(bob, "offline") in found["items"]
        await his.connection.close()
        await nothing_told(hers)
    assert item(bob, "offline") in alice.get(f"/rooms/{room}/presence")["items"]


async def test_who_ended_without_a_word_and_turns_invisible_is_gone_and_is_not_seen_leaving(
    world: World, alice: Person, bob: Person
) -> None:
    room = alice.create_room(bob)["id"]
    async with AsyncExitStack() as stack:
        hers = await listening(stack, alice, room)
        his = await (await stack.enter_async_context(bob.socket())).opened()
        await until_seen(hers, bob, "online", SOON)
        his.connection.transport.abort()
        await asyncio.sleep(1.0)
        wanted = {"status": "invisible"}
        await asyncio.to_thread(bob.expect, 200, "PUT", "/me/presence", json=wanted)
        told = await until_seen(hers, bob, "offline", SOON)
        await nothing_told(hers)
    (kept,) = [
        found
        for found in alice.get(f"/rooms/{room}/presence")["items"]
        if found["user"]["id"] == bob.id
    ]
    assert kept == told


async def test_when_one_was_last_seen_may_be_hidden(
    world: World, alice: Person, bob: Person
) -> None:
    room = alice.create_room(bob)["id"]
    wanted = {"status": "online", "hide_last_seen": True}
    assert bob.expect(200, "PUT", "/me/presence", json=wanted) == wanted
    kept = bob.expect(200, "PUT", "/me/presence", json={"status": "online"})
    assert kept == wanted
    async with AsyncExitStack() as stack:
        hers = await listening(stack, alice, room)
        his = await (await stack.enter_async_context(bob.socket())).opened()
        await until_seen(hers, bob, "online", SOON)
        await his.connection.close()
        assert await until_seen(hers, bob, "offline", SOON) == item(bob, "offline")
    assert item(bob, "offline") in alice.get(f"/rooms/{room}/presence")["items"]
    bob.expect(200, "PUT", "/me/presence", json=wanted | {"hide_last_seen": False})
    items = alice.get(f"/rooms/{room}/presence")["items"]
    assert [found["last_seen_at"] for found in items if found["user"]["id"] == bob.id] != [None]


# --- who may know -----------------------------------------------------------------------------


async def test_who_joins_is_told_of_and_who_is_removed_is_told_nothing(
    world: World, alice: Person, bob: Person
) -> None:
    carol = Person.register(world.server.url, "carol")
    room = alice.create_room(carol)["id"]
    async with AsyncExitStack() as stack:
        hers = await listening(stack, alice, room)
        await (await stack.enter_async_context(bob.socket())).opened()
        theirs = await listening(stack, carol, room)
        await until_seen(hers, carol, "online", SOON)
        assert (await theirs.shown("presence"))["count"] == 2
        alice.expect(201, "PUT", f"/rooms/{room}/members/{bob.id}", json={})
        await until_seen(hers, bob, "online", SOON)
        await until_seen(theirs, bob, "online", SOON)
        alice.expect(204, "DELETE", f"/rooms/{room}/members/{carol.id}")
        await theirs.until("unsubscribed")
        told = await hers.shown("presence")
        assert told == presence(room, 2)
        carol.refused(404, "not_found", "GET", f"/rooms/{room}/presence")
        async with bob.socket() as another:
            await another.opened()
            await another.command("active", active=True)
        await nothing_told(theirs)


async def test_of_a_large_room_only_the_number_is_told(world: World, alice: Person) -> None:
    people = [Person.register(world.server.url, "many") for _ in range(3)]
    room = alice.create_room(*people, kind="public")["id"]
    made = world.scenario("crowd", room, str(LARGE))
    assert made == LARGE
    async with AsyncExitStack() as stack:
        hers = await listening(stack, alice, room)
        assert await hers.shown("presence") == presence(room, 1)
        for place, person in enumerate(people, 2):
            await (await stack.enter_async_context(person.socket())).opened()
            assert await hers.shown("presence") == presence(room, place)
        found = await asyncio.to_thread(alice.get, f"/rooms/{room}/presence")
        assert found == {"items": [], "count": 4}


# --- processes that end -----------------------------------------------------------------------


@pytest.fixture
def frail(postgres_url: str) -> Iterator[World]:
    """A world that is broken."""
    with servers.clustered(postgres_url) as made:
        yield made


async def test_a_killed_process_leaves_no_ghosts(frail: World) -> None:
    doomed = frail.start()
    alice = Person.register(frail.server.url, "alice")
    people = at_once(*[lambda: Person.register(frail.server.url, "ghost")] * GHOSTS)
    room = alice.create_room(*people)["id"]
    async with AsyncExitStack() as stack:
        hers = await listening(stack, alice, room)
        for person in people * SOCKETS_EACH:
            await (await stack.enter_async_context(person.at(doomed.url).socket())).opened()
        await until_count(hers, GHOSTS + 1, 10.0)
        doomed.stop(signal.SIGKILL)
        began = time.monotonic()
        await until_count(hers, 1, GONE_SECONDS)
        assert time.monotonic() - began > 5
        for viewer in (alice, alice.at(frail.servers[1].url)):  # each finds out for itself
            await asyncio.to_thread(until, partial(all_gone, viewer, room, GHOSTS), SOON)


def all_gone(viewer: Person, room: str, count: int) -> bool:
    """Tell whether so many people of a room are offline."""
    return list(seen_in(viewer, room).values()).count("offline") == count


async def until_count(socket: Socket, count: int, seconds: float) -> None:
    """Wait until so many are said to be here."""
    async with asyncio.timeout(seconds):
        while (await socket.shown("presence", seconds))["count"] != count:
            pass


async def test_without_redis_each_process_tells_what_it_knows(frail: World) -> None:
    assert frail.valkey is not None
    alice, bob = (Person.register(frail.server.url, name) for name in ("alice", "bob"))
    carol = Person.register(frail.server.url, "carol").at(frail.other.url)
    room = alice.create_room(bob, carol)["id"]
    async with AsyncExitStack() as stack:
        hers = await listening(stack, alice, room)
        frail.valkey.stop()
        await listening(stack, carol, room)
        his = await listening(stack, bob, room)
        await until_seen(hers, bob, "online", SOON)
        assert (await asyncio.to_thread(seen_in, alice, room))[carol.id] == "offline"
        frail.valkey.start()
        await until_seen(hers, carol, "online", 15.0)
        await his.connection.close()
        await until_rest(carol, room, bob, "offline", 15.0)
