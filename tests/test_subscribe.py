"""Subscribing: where a stream begins, what is pushed, what is left out, and how it ends."""

import asyncio
import json
from typing import Any

import pytest

from tests.clients import Person, Socket
from tests.servers import World, on_both_servers

pytestmark = on_both_servers

NOWHERE = "01890000-0000-7000-8000-000000000000"


def grant(head: int) -> dict[str, Any]:
    """What ``subscribed`` says to an owner who has said everything in the room."""
    counts = {"read_seq": 1, "unread_count": 0, "mention_count": 0, "my_role": "owner"}
    return {"head": head, **counts}


def past(world: World, owner: Person, *events: int) -> list[str]:
    """Make rooms in which so much has happened already; return their ids."""
    rooms: list[str] = world.scenario("rooms_with_a_past", owner.id, *map(str, events))
    return rooms


def numbers(socket: Socket, stream: str) -> list[int]:
    """Return the numbers of a stream's events that have come so far."""
    return [event["seq"] for event in socket.of(stream)]


async def end_of_news(socket: Socket, sender: Person, fence: str) -> None:
    """Wait for a message in another room: what was sent before it has come."""
    await socket.reach(fence, sender.send(fence, "the end")["seq"])


async def pushed(socket: Socket, stream: str, to: int) -> list[dict[str, Any]]:
    """Return the frames up to a number of a stream, each held against the size of batches."""
    frames: list[dict[str, Any]] = []
    while not frames or frames[-1].get("to") != to:
        text = await asyncio.wait_for(socket.connection.recv(), 10)
        assert len(text.encode() if isinstance(text, str) else text) <= 64 * 1024
        frames.append(json.loads(text))
        assert frames[-1].get("stream", stream) == stream
    return frames


@pytest.mark.parametrize("since", [None, 0, 1, 4, 6])
async def test_a_subscription_begins_behind_since(alice: Person, since: int | None) -> None:
    room = alice.create_room()["id"]
    for number in range(5):
        alice.send(room, str(number))
    async with alice.socket() as socket:
        await socket.opened()
        subscribed = await socket.subscribe(room, since=since)
        assert subscribed == {
            "type": "subscribed",
            "id": subscribed["id"],
            "streams": {room: grant(6)},
            "refused": {},
        }
        alice.send(room, "live")
        await socket.reach(room, 7)
        first = 7 if since is None else since + 1
        assert numbers(socket, room) == list(range(first, 8))


async def test_what_may_not_be_read_is_refused_beside_what_may(alice: Person, bob: Person) -> None:
    mine = bob.create_room()["id"]
    private, public = alice.create_room()["id"], alice.create_room(kind="public")["id"]
    async with bob.socket() as socket:
        await socket.opened()
        wanted = {mine: 0, private: 0, public: 0, NOWHERE: 0, alice.id: 0, bob.id: 0}
        subscribed = await socket.ask("subscribe", streams=wanted)
        assert subscribed["streams"] == {mine: grant(1), bob.id: {"head": 1}}
        assert subscribed["refused"] == {
            private: "not_found",
            public: "permission_denied",
            NOWHERE: "not_found",
            alice.id: "not_found",
        }
        alice.send(public, "not for bob")
        await end_of_news(socket, bob, mine)
        assert {event["stream"] for event in socket.events} == {mine, bob.id}


async def test_a_since_above_the_head_is_a_conflict_and_listens_to_nothing(alice: Person) -> None:
    room, fence = alice.create_room()["id"], alice.create_room()["id"]
    async with alice.socket() as socket:
        await socket.opened()
        subscribed = await socket.ask("subscribe", streams={room: 2, fence: 1})
        assert subscribed["refused"] == {room: "conflict"}
        assert subscribed["streams"] == {fence: grant(1)}
        alice.send(room)
        await end_of_news(socket, alice, fence)
        assert socket.of(room) == []


async def test_five_hundred_streams_at_once_and_not_one_more(world: World, alice: Person) -> None:
    rooms = past(world, alice, *[1] * 501)
    async with alice.socket() as socket:
        await socket.opened()
        subscribed = await socket.subscribe(*reversed(rooms), alice.id, since=0)
        assert subscribed["refused"] == {rooms[0]: "limit_reached"}
        assert subscribed["streams"] == {alice.id: {"head": 501}} | {
            room: grant(1) for room in rooms[1:]
        }
        for room in rooms[1:]:
            await socket.reach(room, 1)
        again = await socket.subscribe(*rooms[1:])
        assert again["refused"] == {}, "what is subscribed already counts once"
        await socket.ok("unsubscribe", streams=[rooms[1]])
        freed = await socket.subscribe(rooms[0], since=0)
        assert freed["refused"] == {}
        await socket.reach(rooms[0], 1)


@pytest.mark.parametrize(
    ("since", "limit", "gap"),
    [(0, 5, (1, 6)), (2, 3, (3, 6)), (0, 0, (1, 6)), (0, 6, None), (6, 0, None), (None, 0, None)],
)
async def test_more_missed_than_the_limit_is_a_gap(
    alice: Person, since: int | None, limit: int, gap: tuple[int, int] | None
) -> None:
    room = alice.create_room()["id"]
    for number in range(5):
        alice.send(room, str(number))
    async with alice.socket() as socket:
        await socket.opened()
        await socket.subscribe(room, since=since, limit=limit)
        if gap is not None:
            told = await socket.receive()
            assert told == {"type": "gap", "stream": room, "from": gap[0], "to": gap[1]}
        alice.send(room, "live")
        await socket.reach(room, 7)
        assert numbers(socket, room) == ([7] if gap or since in (None, 6) else list(range(1, 8)))


async def test_of_one_subscribe_at_most_5000_events_are_pushed_fewest_first(
    world: World, alice: Person
) -> None:
    counts = [1000, 999, 1000, 998, 1000, 997, 3]
    rooms = past(world, alice, *counts)
    async with alice.socket() as socket:
        await socket.opened()
        await socket.subscribe(*rooms, since=0)
        gap = await socket.until("gap")
        assert gap == {"type": "gap", "stream": gap["stream"], "from": 1, "to": 1000}
        assert counts[rooms.index(gap["stream"])] == 1000
        others = [room for room in rooms if room != gap["stream"]]
        got: dict[str, int] = {}
        while sum(got.values()) < sum(counts) - 1000:
            frame = json.loads(await asyncio.wait_for(socket.connection.recv(), 10))
            if frame["type"] == "batch":
                got[frame["stream"]] = got.get(frame["stream"], 0) + len(frame["events"])
        assert got == {room: counts[rooms.index(room)] for room in others}


async def test_batches_hold_at_most_100_events(world: World, alice: Person) -> None:
    (room,) = past(world, alice, 250)
    async with alice.socket(f"/ws/rooms/{room}/", query="?since=0") as socket:
        await socket.opened()
        await socket.until("subscribed")
        batches = await pushed(socket, room, 250)
        assert [(batch["type"], batch["from"], batch["to"]) for batch in batches] == [
            ("batch", 1, 100),
            ("batch", 101, 200),
            ("batch", 201, 250),
        ]
        assert [event["seq"] for batch in batches for event in batch["events"]] == [*range(1, 251)]


@pytest.mark.parametrize("character", ["a", "é", "😀", "\x01"])
async def test_batches_hold_at_most_64_kib_whatever_is_said(alice: Person, character: str) -> None:
    room = alice.create_room()["id"]
    for _ in range(8):
        alice.send(room, character * 10_000, metadata={"note": "x" * 4_000})
    async with alice.socket(f"/ws/rooms/{room}/", query="?since=0") as socket:
        await socket.opened()
        await socket.until("subscribed")
        batches = await pushed(socket, room, 9)
        assert [event["seq"] for batch in batches for event in batch["events"]] == [*range(1, 10)]


@pytest.mark.parametrize(("since", "begun"), [(0, 0), (1, 1), (2, 2), (None, 2)])
async def test_subscribing_again_starts_anew(alice: Person, since: int | None, begun: int) -> None:
    room = alice.create_room()["id"]
    async with alice.socket() as socket:
        await socket.opened()
        await socket.subscribe(room)
        alice.send(room, "before")
        await socket.reach(room, 2)
        socket.events.clear()
        await socket.subscribe(room, since=since)
        alice.send(room, "after")
        await socket.reach(room, 3)
        assert numbers(socket, room) == [*range(begun + 1, 4)]


async def test_nothing_comes_after_unsubscribe(alice: Person) -> None:
    room, fence = alice.create_room()["id"], alice.create_room()["id"]
    async with alice.socket() as socket:
        await socket.opened()
        await socket.subscribe(room, fence)
        reply = await socket.ask("unsubscribe", streams=[room, NOWHERE])
        assert reply == {"type": "ok", "id": reply["id"]}
        alice.send(room)
        await end_of_news(socket, alice, fence)
        assert socket.of(room) == []
        await socket.subscribe(room, since=1)
        await socket.reach(room, 2)


async def test_the_inbox_is_subscribed_from_hello_on_and_stays(alice: Person, bob: Person) -> None:
    async with bob.socket() as socket:
        await socket.opened()
        first = alice.create_room(bob)["id"]
        await socket.ok("unsubscribe", streams=[bob.id])
        second = alice.create_room(bob)["id"]
        await socket.reach(bob.id, 2)
        added = [(event["type"], event["data"]["id"]) for event in socket.of(bob.id)]
        assert added == [("room.added", first), ("room.added", second)]
        socket.events.clear()
        subscribed = await socket.subscribe(bob.id, since=0)
        assert subscribed["streams"] == {bob.id: {"head": 2}}
        await socket.reach(bob.id, 2)
        assert [event["data"]["id"] for event in socket.of(bob.id)] == [first, second]


@pytest.mark.parametrize("reason", ["removed", "left"])
async def test_removed_member_receives_nothing_after_removal(
    alice: Person, bob: Person, reason: str
) -> None:
    room, fence = alice.create_room(bob)["id"], alice.create_room(bob)["id"]
    async with bob.socket() as his, alice.socket() as hers:
        await his.opened()
        await hers.opened()
        await his.subscribe(room, fence)
        await hers.subscribe(room)
        if reason == "removed":
            alice.expect(204, "DELETE", f"/rooms/{room}/members/{bob.id}")
        else:
            bob.expect(204, "POST", f"/rooms/{room}/leave")
        secret = alice.send(room, "without bob")["seq"]
        end = await his.until("unsubscribed")
        assert end == {"type": "unsubscribed", "stream": room, "reason": reason}
        (gone,) = his.of(room)
        assert (gone["type"], gone["data"]["user"]["id"]) == (f"member.{reason}", bob.id)
        await end_of_news(his, alice, fence)
        assert his.of(room) == [gone]
        (told,) = his.of(bob.id)
        assert told["type"] == "room.removed"
        assert told["data"] == {"room_id": room, "seq": gone["seq"], "reason": reason}
        refused = await his.subscribe(room, since=0)
        assert (refused["streams"], refused["refused"]) == ({}, {room: "not_found"})
        await hers.reach(room, secret)
        assert [event["type"] for event in hers.of(room)] == [f"member.{reason}", "message.created"]


async def test_a_deleted_room_ends_for_everybody(alice: Person, bob: Person) -> None:
    room = alice.create_room(bob)["id"]
    async with bob.socket() as his, alice.socket() as hers:
        for socket in (his, hers):
            await socket.opened()
            await socket.subscribe(room)
        alice.expect(204, "DELETE", f"/rooms/{room}")
        for socket in (his, hers):
            gone = await socket.until("unsubscribed")
            assert gone == {"type": "unsubscribed", "stream": room, "reason": "deleted"}
            assert [event["type"] for event in socket.of(room)] == ["room.deleted"]
            refused = await socket.subscribe(room, since=0)
            assert refused["refused"] == {room: "not_found"}


async def test_subscribing_amid_a_stream_of_sends_shows_no_hole_and_no_repeat(
    alice: Person, bob: Person
) -> None:
    room = alice.create_room(bob)["id"]
    last = 90

    def talk() -> None:
        for number in range(3, last + 1):
            alice.send(room, str(number))

    talking = asyncio.create_task(asyncio.to_thread(talk))
    async with bob.socket() as socket:
        await socket.opened()
        for turn in range(20):
            behind = max(socket.positions.get(room, 0) - turn, 0)
            await socket.subscribe(room, since=None if turn % 3 == 0 else behind)
            socket.events.clear()
            begun = socket.positions[room]
            await socket.reach(room, min(begun + 4, last))
            assert numbers(socket, room) == [*range(begun + 1, socket.positions[room] + 1)]
        await talking
        await socket.reach(room, last)
