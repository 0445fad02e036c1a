"""Drafts: what is begun on one device is there on the other, and nobody else's business.

Naive forms that would fail: a draft for each device; an event for each keystroke that changed
nothing; replay that shows what has been written over.
"""

from typing import Any

import pytest

from tests.clients import Person
from tests.servers import World, one_world


def keep(person: Person, room: str, text: str, **more: Any) -> Any:
    """Keep a draft."""
    return person.expect(200, "PUT", f"/rooms/{room}/draft", json={"text": text} | more)


async def test_the_other_device_gets_what_a_fresh_look_shows(
    alice: Person, bob: Person, world: World
) -> None:
    room = alice.create_room(bob)["id"]
    head, path = len(bob.events(bob.id)), f"/rooms/{room}/draft"
    reply = alice.send(room)["id"]
    async with bob.at(world.server.url).socket() as phone:
        await phone.opened()
        draft = keep(bob, room, "begun", reply_to_id=reply)
        await phone.reach(bob.id, head + 1)
        assert bob.get(path) == draft
        assert bob.get("/sync")["drafts"] == [draft]
        bob.expect(204, "DELETE", path)
        await phone.reach(bob.id, head + 2)
        kept, gone = phone.of(bob.id)
    assert draft == {
        "room_id": room,
        "text": "begun",
        "reply_to_id": reply,
        "thread_id": None,
        "updated_at": draft["updated_at"],
    }
    assert (kept["type"], kept["data"]) == ("draft.updated", {"room_id": room, "draft": draft})
    assert (gone["type"], gone["data"]) == ("draft.updated", {"room_id": room, "draft": None})
    bob.refused(404, "not_found", "GET", path)
    assert bob.get("/sync")["drafts"] == []
    alice.refused(404, "not_found", "GET", path)
    assert alice.events(room)[-1]["type"] == "message.created", "nothing in the room's stream"


def test_what_is_so_already_is_no_event_and_only_the_last_is_told(alice: Person) -> None:
    room, other = alice.create_room()["id"], alice.create_room()["id"]
    head = len(alice.events(alice.id))
    first = keep(alice, room, "one")
    assert keep(alice, room, "one") == first
    keep(alice, other, "elsewhere")
    last = keep(alice, room, "two")
    for _ in range(2):
        alice.expect(204, "DELETE", f"/rooms/{other}/draft")
    told = alice.events(alice.id, head)
    assert [event["data"] for event in told] == [
        {"room_id": room, "draft": last},
        {"room_id": other, "draft": None},
    ]
    assert told[-1]["seq"] == head + 4


@one_world
@pytest.mark.parametrize("text", ["", " \n", "x" * 10_001, None])
def test_what_is_no_text_is_refused(alice: Person, text: Any) -> None:
    room = alice.create_room()["id"]
    path = f"/rooms/{room}/draft"
    problem = alice.refused(400, "invalid_request", "PUT", path, json={"text": text})
    assert problem["errors"][0]["pointer"] == "/text"
    alice.refused(404, "not_found", "GET", path)


@one_world
def test_who_is_no_member_any_more_has_no_draft(alice: Person, bob: Person) -> None:
    room = alice.create_room(bob)["id"]
    keep(bob, room, "begun")
    bob.expect(204, "POST", f"/rooms/{room}/leave")
    bob.refused(404, "not_found", "GET", f"/rooms/{room}/draft")
    assert bob.get("/sync")["drafts"] == []
