"""Who is here: told truly to those who share a room, to nobody who should not know.

Naive forms that would fail: offline with the first tab that closes; a frame for everybody who
comes, to everybody who is there.
"""

import asyncio
import time
from contextlib import AsyncExitStack

from tests.clients import Person
from tests.seen import (
    GONE_SECONDS,
    SOON,
    item,
    listening,
    nothing_told,
    presence,
    until_rest,
    until_seen,
)
from tests.servers import World, on_both_servers

LARGE = 200  # members; above it people are counted


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
