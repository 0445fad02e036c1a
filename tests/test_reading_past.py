"""Who reads past a message has read what they were told about it, on all their devices."""

from typing import Any

import pytest

from tests.clients import Person
from tests.servers import World, one_world

# Notifications about messages, for one person, as the log and the table keep them.
SEED = """
from uuid import UUID
from api.inbox.actions import notify
from api.inbox.models import Notification
for room, message, seq in {about}:
    told = notify(user_id=UUID("{user}"), text="about a message")
    Notification.objects.filter(pk=told.pk).update(
        room_id=UUID(room), message_id=UUID(message), message_seq=seq
    )
"""
MANY = """
from uuid import UUID
from api.inbox.models import Notification
Notification.objects.bulk_create(
    Notification(user_id=UUID("{user}"), seq=10_000 + n, kind="notice", text=str(n),
                 room_id=UUID("{room}"), message_seq=2) for n in range({count})
)
"""


def tell(world: World, person: Person, *messages: dict[str, Any]) -> list[str]:
    """Tell a person about messages; return the ids of the notifications, in their order."""
    about = [(message["room_id"], message["id"], message["seq"]) for message in messages]
    script = SEED.format(user=person.id, about=about)
    seeded = world.manage("shell", "--verbosity", "0", "--command", script)
    assert seeded.returncode == 0, seeded.stderr
    return [item["id"] for item in person.get("/notifications")["items"]][::-1]


def read(person: Person, room: str, seq: int, **more: Any) -> None:
    """Note how far a person has read."""
    person.expect(200, "PUT", f"/rooms/{room}/read", json={"seq": seq} | more)


def news(person: Person, after: int) -> list[tuple[str, Any]]:
    """Return what happened to a person since a number."""
    return [(event["type"], event["data"]) for event in person.events(person.id, after)]


async def test_reading_past_a_message_reads_what_one_was_told_about_it(
    world: World, alice: Person, bob: Person
) -> None:
    room, other = alice.create_room(bob)["id"], alice.create_room(bob)["id"]
    first, second, third = (alice.send(room) for _ in range(3))
    ids = tell(world, bob, first, alice.send(other), second, third)
    async with bob.login("phone").socket() as phone:
        await phone.opened()
        head = phone.positions[bob.id]
        read(bob, room, second["seq"])
        told = await phone.until("notification.read")
        assert told["data"] == {"ids": [ids[0], ids[2]], "unread_count": 2}
        assert (told["seq"], told["actor_id"]) == (head + 2, bob.id)
        live = [(event["type"], event["data"]) for event in phone.of(bob.id)]
        assert [kind for kind, _ in live] == ["read.moved", "notification.read"]
        assert live == news(bob, head)
    shown = bob.get("/notifications")
    assert [item["id"] for item in shown["items"] if not item["read_at"]] == [ids[3], ids[1]]
    assert bob.get("/sync")["notifications"] == {
        name: shown[name] for name in ("items", "unread_count")
    }


@one_world
def test_what_is_read_already_is_read_once_and_stays_so(
    world: World, alice: Person, bob: Person
) -> None:
    room = alice.create_room(bob)["id"]
    first, second = alice.send(room), alice.send(room)
    read(bob, room, second["seq"])
    ids = tell(world, bob, first, second)
    head = bob.get("/me/events")["head"]
    read(bob, room, first["seq"])  # the marker stays where it is, and what is told is behind it
    assert news(bob, head) == [("notification.read", {"ids": ids, "unread_count": 0})]
    read(bob, room, first["seq"])
    read(bob, room, second["seq"])
    assert bob.get("/me/events")["head"] == head + 1
    read(bob, room, 1, backward=True)
    assert [kind for kind, _ in news(bob, head + 1)] == ["read.moved"]
    assert bob.get("/notifications")["unread_count"] == 0


@one_world
def test_several_rooms_are_read_with_what_was_told_about_them(
    world: World, alice: Person, bob: Person
) -> None:
    rooms = [alice.create_room(bob)["id"] for _ in range(3)]
    ids = tell(world, bob, *(alice.send(room) for room in rooms))
    head = bob.get("/me/events")["head"]
    bob.expect(200, "PUT", "/read", json={"rooms": {rooms[0]: 9, rooms[1]: 2, rooms[2]: 9}})
    kinds = [kind for kind, _ in news(bob, head)]
    assert kinds == ["read.moved", "read.moved", "notification.read"]
    assert news(bob, head)[2][1] == {"ids": [ids[0], ids[2]], "unread_count": 1}


@one_world
@pytest.mark.parametrize("count", [1_000, 2_001])
def test_of_very_many_each_event_names_a_thousand_at_most(
    world: World, alice: Person, bob: Person, count: int
) -> None:
    room = alice.create_room(bob)["id"]
    script = MANY.format(user=bob.id, room=room, count=count)
    seeded = world.manage("shell", "--verbosity", "0", "--command", script)
    assert seeded.returncode == 0, seeded.stderr
    read(bob, room, 2)
    told = [data for kind, data in news(bob, 0) if kind == "notification.read"]
    parts = [(len(data["ids"]), data["unread_count"]) for data in told]
    assert parts == ([(1_000, 0)] if count == 1_000 else [(1_000, 1_000), (1_000, 1), (1, 0)])
    assert len({found for data in told for found in data["ids"]}) == count


async def test_reading_in_a_thread_reads_what_one_was_told_about_it(
    world: World, alice: Person, bob: Person
) -> None:
    room = alice.create_room(bob)["id"]
    root, other = alice.send(room), alice.send(room)
    replies = [alice.send(room, "reply", thread_id=root["id"]) for _ in range(2)]
    ids = tell(world, bob, root, other, *replies)
    path = f"/messages/{root['id']}/thread/read"
    async with bob.login("phone").socket() as phone:
        await phone.opened()
        head = phone.positions[bob.id]
        bob.expect(200, "PUT", path, json={"seq": replies[0]["seq"]})
        told = await phone.until("notification.read")
        assert told["data"] == {"ids": [ids[0], ids[2]], "unread_count": 2}
        live = [(event["type"], event["data"]) for event in phone.of(bob.id)]
        assert [kind for kind, _ in live] == ["thread.read", "notification.read"]
        assert live == news(bob, head)
