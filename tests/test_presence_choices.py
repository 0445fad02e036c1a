"""How one wants to be seen: chosen once for all devices, and never given away for a moment."""

import asyncio
from contextlib import AsyncExitStack

from tests.clients import Person
from tests.seen import SOON, item, listening, nothing_told, presence, until_seen
from tests.servers import World


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
