"""Read markers and counts: how far one has read, what is left, and that every device knows."""

import asyncio
from typing import Any

import pytest

from tests.clients import Person
from tests.servers import one_world


def counts(room: str, read: int, unread: int, head: int) -> dict[str, Any]:
    """Return a counts object."""
    marks = {"read_seq": read, "unread_count": unread, "mention_count": 0}
    return {"room_id": room, "head": head} | marks


def read(person: Person, room: str, seq: int, **more: Any) -> Any:
    """Note how far a person has read; return the counts."""
    return person.expect(200, "PUT", f"/rooms/{room}/read", json={"seq": seq} | more)


def seen(person: Person, room: str) -> tuple[int, int, int]:
    """Return the marker, the count, and the number it was counted at."""
    shown = person.get(f"/rooms/{room}")
    return shown["read_seq"], shown["unread_count"], shown["last_seq"]


def test_what_others_say_is_unread_until_it_is_read(alice: Person, bob: Person) -> None:
    room = alice.create_room(bob)["id"]
    for seq in (3, 4, 5):
        assert alice.send(room)["seq"] == seq
    assert seen(bob, room) == (2, 3, 5)
    assert seen(alice, room) == (1, 0, 5)
    assert read(bob, room, 3) == counts(room, read=3, unread=2, head=5)
    assert read(bob, room, 4) == counts(room, read=4, unread=1, head=5)
    assert read(bob, room, 99) == counts(room, read=5, unread=0, head=5)
    assert seen(bob, room) == (5, 0, 5)
    alice.send(room)
    assert seen(bob, room) == (5, 1, 6)


def test_only_what_counts_is_counted(alice: Person, bob: Person) -> None:
    room = alice.create_room(bob)["id"]
    said = [alice.send(room) for _ in range(6)]
    bob.send(room)
    alice.expect(200, "PATCH", f"/rooms/{room}", json={"topic": "no message"})
    alice.expect(200, "PATCH", f"/messages/{said[5]['id']}", json={"text": "edited"})
    assert seen(bob, room) == (2, 6, 11)
    alice.expect(200, "DELETE", f"/messages/{said[0]['id']}")
    assert seen(bob, room) == (2, 5, 12)
    ranges = {"ranges": [[4, 5], [9, 9]]}
    alice.expect(200, "POST", f"/rooms/{room}/messages/delete", json=ranges)
    assert seen(bob, room) == (2, 3, 13)
    assert read(bob, room, 6) == counts(room, read=6, unread=2, head=13)


def test_what_was_said_before_one_joined_is_not_unread(alice: Person, carol: Person) -> None:
    room = alice.create_room(kind="public")["id"]
    alice.send(room, "before")
    joined = carol.expect(200, "POST", f"/rooms/{room}/join")
    assert (joined["read_seq"], joined["unread_count"], joined["last_seq"]) == (3, 0, 3)
    assert read(carol, room, 2) == counts(room, read=3, unread=0, head=3)
    assert read(carol, room, 0, backward=True) == counts(room, read=0, unread=1, head=3)


def test_the_marker_moves_back_only_when_that_is_said(alice: Person, bob: Person) -> None:
    room = alice.create_room(bob)["id"]
    for _ in range(3):
        alice.send(room)
    read(bob, room, 5)
    events = bob.events(bob.id)
    assert read(bob, room, 3) == read(bob, room, 5) == counts(room, read=5, unread=0, head=5)
    assert read(bob, room, 5, backward=True) == counts(room, read=5, unread=0, head=5)
    assert bob.events(bob.id) == events
    assert read(bob, room, 3, backward=True) == counts(room, read=3, unread=2, head=5)
    assert bob.events(bob.id)[-1]["data"] == counts(room, read=3, unread=2, head=5)


@one_world
@pytest.mark.parametrize(
    "body", [{}, {"seq": -1}, {"seq": 2**53}, {"seq": "1"}, {"seq": 1.5}, {"seq": 1, "at": 2}]
)
def test_a_marker_that_makes_no_sense_is_refused(alice: Person, body: dict[str, Any]) -> None:
    room = alice.create_room()["id"]
    alice.refused(400, "invalid_request", "PUT", f"/rooms/{room}/read", json=body)


@one_world
def test_several_rooms_are_read_at_once_or_none(alice: Person, bob: Person) -> None:
    rooms = [alice.create_room(bob)["id"] for _ in range(3)]
    foreign = alice.create_room()["id"]
    for room in rooms:
        alice.send(room)
        alice.send(room)
    body = {"rooms": {rooms[0]: 3, rooms[1]: 99, foreign: 1}}
    bob.refused(404, "not_found", "PUT", "/read", json=body)
    assert [seen(bob, room) for room in rooms] == [(2, 2, 4)] * 3

    body = {"rooms": {rooms[0]: 3, rooms[1]: 99, rooms[2]: 1}}
    answer = bob.expect(200, "PUT", "/read", json=body)

    assert answer["items"] == [
        counts(rooms[0], read=3, unread=1, head=4),
        counts(rooms[1], read=4, unread=0, head=4),
        counts(rooms[2], read=2, unread=2, head=4),
    ]
    moved = [event["data"] for event in bob.events(bob.id) if event["type"] == "read.moved"]
    assert moved == answer["items"][:2]
    for bad in ({}, {"x": 1}, {rooms[0]: -1}):
        bob.refused(400, "invalid_request", "PUT", "/read", json={"rooms": bad})


async def test_reading_is_told_to_ones_other_devices_and_to_nobody_else(
    alice: Person, bob: Person
) -> None:
    room = alice.create_room(bob)["id"]
    said = alice.send(room)
    async with bob.login("phone").socket() as phone:
        await phone.opened()
        answer = read(bob, room, said["seq"])
        moved = await phone.until("read.moved")
        assert moved["data"] == answer == counts(room, read=3, unread=0, head=3)
        assert (moved["stream"], moved["actor_id"]) == (bob.id, bob.id)

        by_socket = await phone.ok("read", room_id=room, seq=2, backward=True)
        assert by_socket == {"type": "ok", "id": by_socket["id"]} | counts(room, 2, 1, 3)
        await phone.reach(bob.id, moved["seq"] + 1)
    assert alice.get(f"/rooms/{room}")["last_seq"] == 3
    assert [event["type"] for event in alice.events(alice.id)] == ["room.added"]


def test_of_all_readings_the_last_of_each_room_is_replayed(alice: Person, bob: Person) -> None:
    rooms = [alice.create_room(bob)["id"] for _ in range(2)]
    for room in rooms:
        for _ in range(3):
            alice.send(room)
    for seq in (3, 4, 5):
        for room in rooms:
            read(bob, room, seq)
    replayed = bob.events(bob.id, after=2)
    assert [event["seq"] for event in replayed] == [7, 8]
    assert [event["data"] for event in replayed] == [counts(room, 5, 0, 5) for room in rooms]


@one_world
def test_counts_are_exact_up_to_a_thousand(alice: Person, long_room: str) -> None:
    head = alice.expect(200, "POST", f"/rooms/{long_room}/join")["last_seq"]
    for seq, unread in ((0, 1000), (1, 1000), (2, 1000), (3, 999), (1001, 1), (1002, 0)):
        answer = read(alice, long_room, seq, backward=True)
        assert answer["unread_count"] == unread
        assert (answer["read_seq"], answer["head"]) == (seq, head)


@one_world
def test_one_reads_only_where_one_belongs(alice: Person, carol: Person) -> None:
    body = {"seq": 1}
    private, public = alice.create_room()["id"], alice.create_room(kind="public")["id"]
    carol.refused(404, "not_found", "PUT", f"/rooms/{private}/read", json=body)
    carol.refused(403, "permission_denied", "PUT", f"/rooms/{public}/read", json=body)
    assert carol.events(carol.id) == []


async def test_counts_are_true_at_their_number_while_others_write(
    alice: Person, bob: Person
) -> None:
    room = alice.create_room(bob)["id"]
    talking = asyncio.create_task(alice.talk(room, 100))
    heads = set()
    while not talking.done():
        sync, shown = await asyncio.gather(
            asyncio.to_thread(bob.get, "/sync"), asyncio.to_thread(bob.get, f"/rooms/{room}")
        )
        for state in (shown, *sync["rooms"]):
            assert state["unread_count"] == state["last_seq"] - 2
            heads.add(state["last_seq"])
            if state["last_message"]:
                assert state["last_message"]["seq"] == state["last_seq"]
    await talking
    assert len(heads) > 1
    assert seen(bob, room) == (2, 100, 102)
