"""Receipts: who has read a message, told to its members; not of who hides their own."""

from typing import Any

from tests.clients import Person
from tests.servers import one_world


def readers(person: Person, message: dict[str, Any], query: str = "") -> list[str]:
    """Return the ids of who has read a message, as this person sees it."""
    found = person.get(f"/messages/{message['id']}/readers{query}")
    return [item["user"]["id"] for item in found["items"]]


def read(person: Person, message: dict[str, Any], **more: Any) -> None:
    """Read up to a message."""
    path = f"/rooms/{message['room_id']}/read"
    person.expect(200, "PUT", path, json={"seq": message["seq"]} | more)


def test_who_has_read_up_to_a_message_is_listed_without_its_author(
    alice: Person, bob: Person, carol: Person
) -> None:
    room = alice.create_room(bob, carol)["id"]
    first, second = alice.send(room), bob.send(room)
    assert readers(alice, first) == []
    read(alice, second)
    read(bob, first)
    names = ("id", "username", "display_name", "is_bot", "version")
    whole = {"items": [{"user": {name: bob.user[name] for name in names}}], "next_cursor": None}
    for person in (alice, bob, carol):
        assert person.get(f"/messages/{first['id']}/readers") == whole
    assert readers(carol, second) == [alice.id]
    read(carol, second)
    assert readers(alice, first) == readers(bob, first) == sorted([bob.id, carol.id])
    read(carol, first, backward=True)
    assert readers(alice, second) == [alice.id]
    carol.expect(204, "POST", f"/rooms/{room}/leave")
    assert readers(alice, first) == [bob.id]
    bob.expect(200, "DELETE", f"/messages/{second['id']}")
    assert readers(bob, second) == [alice.id]


def test_who_came_later_has_not_read_what_was_said_before(
    alice: Person, bob: Person, carol: Person
) -> None:
    room = alice.create_room(bob, kind="public")["id"]
    early = alice.send(room)
    carol.expect(200, "POST", f"/rooms/{room}/join")
    late = alice.send(room)
    for person in (bob, carol):
        read(person, late)
    assert readers(alice, early) == [bob.id]
    assert readers(alice, late) == sorted([bob.id, carol.id])
    carol.expect(204, "POST", f"/rooms/{room}/leave")
    carol.expect(200, "POST", f"/rooms/{room}/join")
    assert readers(alice, late) == [bob.id]


@one_world
def test_readers_are_paged(alice: Person) -> None:
    people = [Person.register(alice.url, f"reader{n}") for n in range(5)]
    room = alice.create_room(*people)["id"]
    said = alice.send(room)
    for person in people:
        read(person, said)
    ids = sorted(person.id for person in people)
    path, found = f"/messages/{said['id']}/readers?limit=2", []
    page = alice.get(path)
    while page["next_cursor"]:
        found.append([item["user"]["id"] for item in page["items"]])
        page = alice.get(f"{path}&cursor={page['next_cursor']}")
    found.append([item["user"]["id"] for item in page["items"]])
    assert found == [ids[:2], ids[2:4], ids[4:]]
    for bad in ("?limit=0", "?limit=201", "?cursor=x", "?after=1"):
        alice.refused(400, "invalid_request", "GET", f"/messages/{said['id']}/readers{bad}")


async def test_who_hides_their_receipts_is_not_listed_and_sees_nobodys(
    alice: Person, bob: Person, carol: Person
) -> None:
    room = alice.create_room(bob, carol)["id"]
    said = alice.send(room)
    for person in (bob, carol):
        read(person, said)
    assert bob.get("/me")["hide_receipts"] is False
    async with bob.login("phone").socket() as phone:
        await phone.opened()
        mine = bob.expect(200, "PATCH", "/me", json={"hide_receipts": True})
        assert mine == bob.user | {"hide_receipts": True, "version": 2}
        told = await phone.until("me.updated")
        assert told["data"] == mine == bob.get("/me") == bob.get("/sync")["me"]
        head = bob.get("/me/events")["head"]
        assert bob.expect(200, "PATCH", "/me", json={"hide_receipts": True}) == mine
        assert bob.get("/me/events")["head"] == head
    assert "hide_receipts" not in alice.get(f"/users/{bob.id}")
    assert readers(alice, said) == readers(carol, said) == [carol.id]
    assert readers(bob, said) == []
    counted = bob.get(f"/rooms/{room}")
    assert (counted["read_seq"], counted["unread_count"]) == (said["seq"], 0)
    bob.expect(200, "PATCH", "/me", json={"hide_receipts": False, "display_name": "Robert"})
    assert bob.get("/me")["version"] == 3
    assert readers(alice, said) == readers(bob, said) == sorted([bob.id, carol.id])


@one_world
def test_a_switch_is_on_or_off(alice: Person) -> None:
    for bad in (None, 1, "yes"):
        alice.refused(400, "invalid_request", "PATCH", "/me", json={"hide_receipts": bad})
