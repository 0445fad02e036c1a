"""Who is typing: told to the others while it lasts, to nobody who may not know, once a second.

Naive forms that would fail: believe whoever names a room; keep it until somebody says stop; pass
on every key that is pressed; end it where one tab of two does.
"""

import asyncio
import itertools
import time
from contextlib import AsyncExitStack, suppress
from typing import Any

import pytest

from realtime.typing import RENEWED_SECONDS
from realtime.typing_room import TypingRoom
from tests.clients import Person, Socket
from tests.servers import World, on_both_servers, one_world

SOON = 12.0  # what may be written is asked for again every few seconds
NOTHING_SECONDS = 2.5  # in which there would be another two frames of a room


def typing(room: str, person: Person, *, active: bool) -> dict[str, Any]:
    """Return the frame."""
    return {"type": "typing", "room_id": room, "user_id": person.id, "active": active}


async def listening(stack: AsyncExitStack, person: Person, room: str, **more: Any) -> Socket:
    """Open a socket and subscribe it to a room."""
    socket = await (await stack.enter_async_context(person.socket())).opened()
    assert (await socket.subscribe(room, **more))["refused"] == {}
    return socket


async def types(socket: Socket, person: Person, room: str, *others: Socket) -> None:
    """Type until the others are told: what a process says before one listens is not repeated."""
    for other in others:
        shown = asyncio.create_task(other.shown("typing"))
        while not shown.done():
            await socket.command("typing", room_id=room, active=True)
            await asyncio.wait([shown], timeout=RENEWED_SECONDS)
        assert await shown == typing(room, person, active=True)


async def nothing_shown(socket: Socket, seconds: float = NOTHING_SECONDS) -> None:
    """Fail when somebody is said to type, or not to."""
    with pytest.raises(TimeoutError):
        raise AssertionError(await socket.shown("typing", seconds))


# --- one room -------------------------------------------------------------------------------


def test_one_is_told_of_at_a_time_in_the_order_in_which_they_began() -> None:
    room = TypingRoom()
    for name in ("a", "b", "c"):
        room.began(name, "1", 6.0)
    assert room.next_frame(0.0) == ("a", True)
    assert (room.next_frame(0.5), room.due(0.5)) == (None, 1.0)
    assert (room.next_frame(1.0), room.next_frame(2.0)) == (("b", True), ("c", True))
    assert room.next_frame(3.0) is None
    assert room.due(3.0) == 6.0
    assert room.expire(6.0) == [("a", "1"), ("b", "1"), ("c", "1")]
    assert [room.next_frame(now) for now in (6.0, 7.0, 8.0, 9.0)] == [
        ("a", False),
        ("b", False),
        ("c", False),
        None,
    ]
    assert room.due(9.0) is None


def test_who_begins_and_ends_between_two_frames_is_not_told_of() -> None:
    room = TypingRoom()
    room.began("a", "1", 6.0)
    assert room.next_frame(0.0) == ("a", True)
    room.began("b", "1", 6.0)
    assert room.ended("b") == ["1"]
    room.ended("a")
    room.began("a", "1", 7.0)
    assert room.next_frame(1.0) is None


def test_who_comes_later_is_told_when_it_is_renewed_and_only_then() -> None:
    room = TypingRoom()
    room.began("a", "1", 6.0)
    assert room.next_frame(0.0) == ("a", True)
    room.somebody_came()
    assert room.next_frame(1.0) is None
    room.began("a", "1", 8.0)
    assert room.next_frame(2.0) == ("a", True)
    room.began("a", "1", 10.0)
    assert room.next_frame(4.0) is None
    room.somebody_came()
    room.ended("a")
    assert room.next_frame(5.0) == ("a", False)


def test_two_sockets_of_a_person_are_one_who_types() -> None:
    room = TypingRoom()
    room.began("a", "1", 6.0)
    room.began("a", "2", 8.0)
    assert room.next_frame(0.0) == ("a", True)
    assert room.ended("a", "2") == ["2"]
    assert room.next_frame(1.0) is None
    assert room.ended("a", "2") == []
    assert room.expire(6.0) == [("a", "1")]
    assert room.next_frame(6.0) == ("a", False)


# --- real sockets ---------------------------------------------------------------------------


async def test_the_others_are_told_and_oneself_is_not(
    world: World, alice: Person, bob: Person
) -> None:
    room = alice.create_room(bob)["id"]
    async with AsyncExitStack() as stack:
        hers, tablet = [await listening(stack, alice, room) for _ in range(2)]
        his = await listening(stack, bob, room)
        await types(hers, alice, room, his)
        await hers.command("typing", room_id=room, active=True)
        await hers.command("typing", room_id=room, active=False)
        assert await his.shown("typing") == typing(room, alice, active=False)
        await hers.command("typing", room_id=room, active=False)
        await nothing_shown(his)
        assert (await hers.ask("ping"))["type"] == "pong"
        await nothing_shown(hers, 0.1)
        await nothing_shown(tablet, 0.1)
    assert [event["type"] for event in alice.events(room)] == ["member.joined"] * 2


async def test_it_ends_after_six_seconds_without_renewal(
    world: World, alice: Person, bob: Person
) -> None:
    room = alice.create_room(bob)["id"]
    async with AsyncExitStack() as stack:
        hers = await listening(stack, alice, room)
        his = await listening(stack, bob, room)
        await types(hers, alice, room, his)
        began = time.monotonic()
        assert await his.shown("typing") == typing(room, alice, active=False)
        assert time.monotonic() - began > 5


async def test_a_message_ends_it_on_whatever_door_it_came(
    world: World, alice: Person, bob: Person
) -> None:
    room = alice.create_room(bob)["id"]
    async with AsyncExitStack() as stack:
        hers = await listening(stack, alice, room)
        his = await listening(stack, bob, room)
        for door in ("socket", "rest"):
            await types(hers, alice, room, his)
            bob.send(room, "not hers")
            if door == "socket":
                await hers.ok("message.send", room_id=room, text="hers")
            else:
                await asyncio.to_thread(alice.send, room, "hers")
            assert await his.shown("typing", 4.0) == typing(room, alice, active=False)


async def test_it_ends_with_the_socket_and_only_with_the_one_that_typed(
    world: World, alice: Person, bob: Person
) -> None:
    room = alice.create_room(bob)["id"]
    async with AsyncExitStack() as stack:
        tab = await listening(stack, alice, room)
        other = await listening(stack, alice, room)
        his = await listening(stack, bob, room)
        await types(tab, alice, room, his)
        await other.command("typing", room_id=room, active=True)
        await tab.connection.close()
        await nothing_shown(his)
        await other.connection.close()
        assert await his.shown("typing", 2.0) == typing(room, alice, active=False)


async def test_several_are_told_of_one_a_second(world: World, alice: Person, bob: Person) -> None:
    people = [Person.register(world.server.url, "dora") for _ in range(3)]
    room = alice.create_room(bob, *people)["id"]
    async with AsyncExitStack() as stack:
        his = await listening(stack, bob, room)
        sockets = [await listening(stack, person, room) for person in people]
        times = []
        for socket, person in zip(sockets, people, strict=True):
            await types(socket, person, room, his)
            times.append(time.monotonic())
    assert all(later - sooner > 0.5 for sooner, later in itertools.pairwise(times))


async def test_who_does_not_want_it_is_not_told(world: World, alice: Person, bob: Person) -> None:
    room, another = (alice.create_room(bob)["id"] for _ in range(2))
    async with AsyncExitStack() as stack:
        hers = await listening(stack, alice, room)
        without = await listening(stack, bob, room, ephemeral=False)
        several = await (await stack.enter_async_context(bob.socket())).opened()
        await several.subscribe(room, another)
        wanting = await (await stack.enter_async_context(bob.socket())).opened()
        await wanting.subscribe(room, another, ephemeral=True)
        await types(hers, alice, room, wanting)
        await nothing_shown(without, 0.5)
        await nothing_shown(several, 0.1)


@on_both_servers
async def test_the_socket_of_a_room_need_not_name_it(
    world: World, alice: Person, bob: Person
) -> None:
    room = alice.create_room(bob)["id"]
    async with AsyncExitStack() as stack:
        his = await listening(stack, bob, room)
        hers = await stack.enter_async_context(alice.socket(f"/ws/rooms/{room}/"))
        await hers.opened()
        await hers.command("typing", active=True)
        assert await his.shown("typing") == typing(room, alice, active=True)


async def test_who_may_not_write_does_not_type(
    world: World, alice: Person, bob: Person, carol: Person
) -> None:
    room = alice.create_room(bob)["id"]
    member = f"/rooms/{room}/members/{bob.id}"
    async with AsyncExitStack() as stack:
        hers = await listening(stack, alice, room)
        his = await listening(stack, bob, room)
        theirs = await (await stack.enter_async_context(carol.socket())).opened()
        await types(his, bob, room, hers)
        await his.command("typing", room_id=room, active=False)
        assert (await hers.shown("typing"))["active"] is False
        role = alice.expect(200, "PATCH", member, json={"role": "reader"})
        assert role["role"] == "reader"
        await his.until("member.role_changed")
        assert (await his.ask("typing", room_id=room, active=True))["code"] == "permission_denied"
        assert (await theirs.ask("typing", room_id=room, active=True))["code"] == "not_found"
        alice.expect(200, "PATCH", f"/rooms/{room}", json={"archived": True})
        assert (await hers.ask("typing", room_id=room, active=True))["code"] == "room_archived"
        assert (await hers.ask("typing", room_id=room))["code"] == "invalid_request"
        await nothing_shown(hers)


@one_world
async def test_who_is_blocked_in_the_room_of_two_soon_types_no_more(
    world: World, alice: Person, bob: Person
) -> None:
    direct = alice.expect(201, "POST", "/rooms/direct", json={"user_ids": [bob.id]})["id"]
    async with AsyncExitStack() as stack:
        hers = await listening(stack, alice, direct)
        his = await listening(stack, bob, direct)
        await types(his, bob, direct, hers)
        alice.expect(201, "PUT", f"/blocks/{bob.id}")
        async with asyncio.timeout(SOON):
            while True:
                await his.command("typing", id="again", room_id=direct, active=True)
                with suppress(TimeoutError):
                    refused = await his.receive(RENEWED_SECONDS)
                    break
        assert (refused["id"], refused["code"]) == ("again", "permission_denied")
        assert await hers.shown("typing") == typing(direct, bob, active=False)
        await types(hers, alice, direct, his)


async def test_a_removed_member_is_told_nothing_more_and_types_no_more(
    world: World, alice: Person, bob: Person
) -> None:
    carol = Person.register(world.server.url, "carol")
    room = alice.create_room(bob, carol)["id"]
    async with AsyncExitStack() as stack:
        hers = await listening(stack, alice, room)
        his = await listening(stack, bob, room)
        theirs = await listening(stack, carol, room)
        await types(his, bob, room, hers, theirs)
        alice.expect(204, "DELETE", f"/rooms/{room}/members/{bob.id}")
        assert await hers.shown("typing", 4.0) == typing(room, bob, active=False)
        await his.until("unsubscribed")
        assert (await his.ask("typing", room_id=room, active=True))["code"] == "not_found"
        assert await theirs.shown("typing") == typing(room, bob, active=False)
        await types(theirs, carol, room, hers)
        await nothing_shown(his, 0.5)
