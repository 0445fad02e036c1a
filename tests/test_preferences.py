"""One's own settings for a room: one's own devices hear of them, and nobody else does.

Naive forms that would fail: an event in the room's stream; an event for what is so already;
hiding a room without telling the other device.
"""

from typing import Any

import pytest

from tests.clients import Person
from tests.servers import World, one_world

DEFAULT = {"notification_level": "all", "muted_until": None, "favourite": False, "hidden": False}


def prefer(person: Person, room: str, **changes: Any) -> Any:
    """Change settings; return them all."""
    return person.expect(200, "PATCH", f"/rooms/{room}/preferences", json=changes)


async def test_the_other_device_gets_what_a_fresh_look_shows(
    alice: Person, bob: Person, world: World
) -> None:
    room = alice.create_room(bob)["id"]
    before = bob.get(f"/rooms/{room}")
    assert before["preferences"] == DEFAULT
    until = "2030-01-01T00:00:00.123Z"
    async with bob.at(world.server.url).socket() as phone:
        await phone.opened()
        head = phone.positions[bob.id]
        changed = prefer(bob, room, notification_level="none", muted_until=until, favourite=True)
        await phone.reach(bob.id, head + 1)
        (event,) = phone.of(bob.id)
    expected = DEFAULT | {"notification_level": "none", "muted_until": until, "favourite": True}
    assert changed == expected
    assert (event["type"], event["actor_id"]) == ("preferences.updated", bob.id)
    assert event["data"] == expected | {"room_id": room}
    assert bob.get(f"/rooms/{room}") == before | {"preferences": expected}
    assert bob.events(bob.id, head) == [event]
    assert alice.get(f"/rooms/{room}")["preferences"] == DEFAULT
    assert alice.get(f"/rooms/{room}")["last_seq"] == before["last_seq"]


def test_what_is_so_already_is_no_event_and_what_is_absent_stays(alice: Person) -> None:
    room = alice.create_room()["id"]
    head = len(alice.events(alice.id))
    assert prefer(alice, room) == DEFAULT
    assert prefer(alice, room, favourite=False, muted_until=None) == DEFAULT
    assert len(alice.events(alice.id)) == head
    prefer(alice, room, favourite=True)
    until = "2030-01-01T02:00:00.5+02:00"
    prefer(alice, room, muted_until=until)
    kept = DEFAULT | {"favourite": True, "muted_until": "2030-01-01T00:00:00.500Z"}
    assert prefer(alice, room, muted_until=until) == kept
    assert [e["data"] for e in alice.events(alice.id, head)] == [kept | {"room_id": room}]
    assert prefer(alice, room, muted_until=None) == DEFAULT | {"favourite": True}


def test_a_hidden_room_comes_back_when_something_is_said(alice: Person, bob: Person) -> None:
    room = alice.create_room(bob)["id"]
    bob.send(room)
    assert prefer(alice, room, hidden=True)["hidden"]
    assert prefer(alice, room, favourite=True)["hidden"]
    bob.send(room)
    assert not alice.get(f"/rooms/{room}")["preferences"]["hidden"]
    prefer(alice, room, hidden=True)
    assert not prefer(alice, room, hidden=False)["hidden"]


def test_a_reply_in_a_thread_is_something_said(alice: Person, bob: Person) -> None:
    room = alice.create_room(bob)["id"]
    root = bob.send(room)["id"]
    assert prefer(alice, room, hidden=True)["hidden"]
    bob.expect(201, "POST", f"/rooms/{room}/messages", json={"text": "re", "thread_id": root})
    assert not alice.get(f"/rooms/{room}")["preferences"]["hidden"]


def test_hiding_what_is_hidden_is_no_event_whatever_else_has_happened(
    alice: Person, bob: Person
) -> None:
    room = alice.create_room(bob)["id"]
    said = bob.send(room)["id"]
    prefer(alice, room, hidden=True)
    bob.expect(200, "PUT", f"/messages/{said}/reactions/👍")
    head = alice.get("/me/events")["head"]
    assert prefer(alice, room, hidden=True)["hidden"]
    assert alice.get("/me/events")["head"] == head
    bob.send(room)
    assert prefer(alice, room, hidden=True)["hidden"]
    assert alice.get("/me/events")["head"] == head + 1


@one_world
def test_leaving_and_opening_a_direct_room_are_told_to_the_other_device(
    alice: Person, bob: Person
) -> None:
    others = {"json": {"user_ids": [bob.id]}}
    room = alice.expect(201, "POST", "/rooms/direct", **others)["id"]
    alice.send(room)
    head = len(alice.events(alice.id))
    alice.expect(204, "POST", f"/rooms/{room}/leave")
    (hidden,) = alice.events(alice.id, head)
    assert (hidden["type"], hidden["data"]["hidden"]) == ("preferences.updated", True)
    alice.expect(200, "POST", "/rooms/direct", **others)
    (shown,) = alice.events(alice.id, head + 1)
    assert (shown["type"], shown["data"]["hidden"]) == ("preferences.updated", False)
    alice.expect(200, "POST", "/rooms/direct", **others)
    assert alice.events(alice.id, head + 2) == []


@one_world
@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({"notification_level": "some"}, "/notification_level"),
        ({"muted_until": "tomorrow"}, "/muted_until"),
        ({"muted_until": "2030-01-01T00:00:00"}, "/muted_until"),
        ({"muted_until": "9999-12-31T23:59:59-23:59"}, "/muted_until"),
        ({"muted_until": "0001-01-01T00:00:00+23:59"}, "/muted_until"),
        ({"favourite": None}, "/favourite"),
        ({"pinned": True}, "/pinned"),
    ],
)
def test_bad_settings_are_refused(alice: Person, body: dict[str, Any], pointer: str) -> None:
    room = alice.create_room()["id"]
    path = f"/rooms/{room}/preferences"
    problem = alice.refused(400, "invalid_request", "PATCH", path, json=body)
    assert problem["errors"][0]["pointer"] == pointer
    assert alice.get(f"/rooms/{room}")["preferences"] == DEFAULT


@one_world
def test_settings_end_with_the_membership(alice: Person, bob: Person) -> None:
    room = alice.create_room(bob)["id"]
    prefer(bob, room, favourite=True)
    head = len(bob.events(bob.id))
    bob.expect(204, "POST", f"/rooms/{room}/leave")
    bob.refused(404, "not_found", "PATCH", f"/rooms/{room}/preferences", json={})
    assert "preferences.updated" not in [e["type"] for e in bob.events(bob.id, head - 1)]
    alice.expect(201, "PUT", f"/rooms/{room}/members/{bob.id}", json={})
    assert bob.get(f"/rooms/{room}")["preferences"] == DEFAULT
