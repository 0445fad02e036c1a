"""Subscribing to what cannot be had: each is refused alone, and is not listened to then."""

from tests.clients import Person
from tests.servers import on_both_servers

pytestmark = on_both_servers


async def test_no_streams_at_all_is_an_answer_as_well(alice: Person) -> None:
    async with alice.socket() as socket:
        await socket.opened()
        reply = await socket.subscribe()
        assert (reply["streams"], reply["refused"]) == ({}, {})


async def test_what_is_no_id_is_refused_alone(alice: Person) -> None:
    room = alice.create_room()["id"]
    async with alice.socket() as socket:
        await socket.opened()
        reply = await socket.ask("subscribe", streams={"lobby": 0, room.upper(): None, "": None})
        assert list(reply["streams"]) == [room]
        assert reply["refused"] == {"lobby": "not_found", "": "not_found"}


async def test_what_is_refused_is_not_subscribed_though_it_was(alice: Person) -> None:
    room, fence = alice.create_room()["id"], alice.create_room()["id"]
    async with alice.socket() as socket:
        await socket.opened()
        await socket.subscribe(room, fence)
        reply = await socket.ask("subscribe", streams={room: 99, alice.id: 99})
        assert reply["refused"] == {room: "conflict", alice.id: "conflict"}
        alice.send(room)
        await socket.reach(fence, alice.send(fence)["seq"])
        assert socket.of(room) == []
        alice.expect(200, "PATCH", "/me", json={"display_name": "Alice B."})
        await socket.reach(alice.id, socket.positions[alice.id] + 1)
