"""Rooms: made, found, changed, archived, frozen, and deleted."""

import json
import uuid
from typing import Any

import pytest

from tests.clients import Person
from tests.servers import one_world

DEFAULTS = {
    "avatar": None,
    "archived_at": None,
    "frozen": False,
    "slow_mode_seconds": 0,
    "users": None,
    "last_message": None,
    "unread_count": 0,
    "mention_count": 0,
    "preferences": {
        "notification_level": "all",
        "muted_until": None,
        "favourite": False,
        "hidden": False,
    },
}
SAY: dict[str, Any] = {"json": {"text": "hello"}}


def test_a_new_room_is_shown_whole(alice: Person, bob: Person) -> None:
    told = {"name": "Tea", "kind": "private", "topic": "leaves", "metadata": {"a": [1, None]}}
    twice = {"member_ids": [bob.id, alice.id, bob.id]}

    room = alice.expect(201, "POST", "/rooms", json=told | twice)

    mine = {"member_count": 2, "last_seq": 2, "my_role": "owner", "read_seq": 1, "join": "open"}
    given = {"id": room["id"], "created_at": room["created_at"]}
    assert room == DEFAULTS | told | mine | given
    assert alice.get(f"/rooms/{room['id']}") == room
    assert alice.get("/rooms") == {"items": [room], "next_cursor": None}
    assert bob.get(f"/rooms/{room['id']}") == room | {"my_role": "member", "read_seq": 2}


@one_world
@pytest.mark.parametrize(
    ("change", "pointer"),
    [
        ({"name": None}, "/name"),
        ({"name": " \t"}, "/name"),
        ({"name": "n" * 101}, "/name"),
        ({"kind": "direct"}, "/kind"),
        ({"join": "closed"}, "/join"),
        ({"topic": "t" * 501}, "/topic"),
        ({"metadata": [1]}, "/metadata"),
        ({"metadata": {"big": "x" * 8192}}, "/metadata"),
        ({"member_ids": [str(uuid.UUID(int=1))]}, "/member_ids/0"),
        ({"member_ids": [str(uuid.UUID(int=1))] * 101}, "/member_ids"),
        ({"nonsense": 1}, "/nonsense"),
    ],
)
def test_a_room_that_makes_no_sense_is_refused(
    alice: Person, change: dict[str, Any], pointer: str
) -> None:
    body = {"name": "room", "kind": "public"} | change
    problem = alice.refused(400, "invalid_request", "POST", "/rooms", json=body)
    assert problem["errors"][0]["pointer"] == pointer
    assert alice.get("/rooms")["items"] == []


@one_world
def test_the_list_of_rooms_is_paged_and_holds_each_once(alice: Person) -> None:
    made = [alice.create_room()["id"] for _ in range(5)]
    page = alice.get("/rooms?limit=2")
    found = page["items"]
    while page["next_cursor"]:
        page = alice.get(f"/rooms?limit=2&cursor={page['next_cursor']}")
        assert len(page["items"]) <= 2
        found += page["items"]
    assert [room["id"] for room in found] == made


@one_world
@pytest.mark.parametrize(
    "query",
    [
        "limit=0",
        "limit=201",
        "limit=x",
        "cursor=x",
        "scope=all",
        "q=x",
        "page=2",
        "limit=1&limit=2",
    ],
)
def test_a_list_that_makes_no_sense_is_refused(alice: Person, query: str) -> None:
    alice.refused(400, "invalid_request", "GET", f"/rooms?{query}")


def test_public_rooms_are_found_by_those_who_may_join(alice: Person, bob: Person) -> None:
    word = f"word{uuid.uuid4().hex}"
    by_name = alice.create_room(kind="public", name=f"Tea ÖФ{word.upper()} here")
    by_topic = alice.create_room(kind="public", topic=f"all of {word}")
    alice.create_room(name=word)
    alice.create_room(bob, kind="public", name=word)
    asking = alice.create_room(kind="public", name=word, join="request")
    archived = alice.create_room(kind="public", name=word)["id"]
    alice.expect(200, "PATCH", f"/rooms/{archived}", json={"archived": True})
    deleted = alice.create_room(kind="public", name=word)["id"]
    alice.expect(204, "DELETE", f"/rooms/{deleted}")

    found = bob.get(f"/rooms?scope=public&q={word}")["items"]

    strange = ("my_role", "read_seq", "unread_count", "mention_count", "preferences")
    unknown = dict.fromkeys(strange)
    assert found == [room | unknown for room in (by_name, by_topic, asking)]
    assert bob.get(f"/rooms?scope=public&q=öф{word}")["items"] == found[:1]
    page = bob.get(f"/rooms?scope=public&q={word}&limit=1")
    rest = bob.get(f"/rooms?scope=public&q={word}&cursor={page['next_cursor']}")
    assert page["items"] + rest["items"] == found
    assert rest["next_cursor"] is None


@one_world
@pytest.mark.parametrize(
    "change",
    [
        {"name": "another"},
        {"topic": "another"},
        {"metadata": {"deep": {"er": [True]}}},
        {"join": "request"},
        {"slow_mode_seconds": 30},
        {"frozen": True},
        {"name": "two", "topic": "at once", "frozen": True},
    ],
)
def test_a_change_is_one_event_and_its_repetition_none(
    alice: Person, bob: Person, change: dict[str, Any]
) -> None:
    before = alice.create_room(bob)
    path = f"/rooms/{before['id']}"

    after = alice.expect(200, "PATCH", path, json=change)

    assert after == before | change | {"last_seq": 3}
    assert alice.expect(200, "PATCH", path, json=change) == after
    (event,) = bob.events(before["id"], after=2)
    facts = {name: after[name] for name in event["data"]}
    head = {"stream": before["id"], "seq": 3, "at": event["at"], "actor_id": alice.id}
    assert event == {"type": "room.updated", **head, "data": facts}


@one_world
@pytest.mark.parametrize(
    "change", [{"name": ""}, {"name": " "}, {"slow_mode_seconds": -1}, {"frozen": None}, {"id": 1}]
)
def test_a_change_that_makes_no_sense_is_refused(alice: Person, change: dict[str, Any]) -> None:
    room = alice.create_room()
    alice.refused(400, "invalid_request", "PATCH", f"/rooms/{room['id']}", json=change)
    assert alice.get(f"/rooms/{room['id']}") == room


@one_world
def test_an_archived_room_is_read_only_until_it_is_brought_back(alice: Person, bob: Person) -> None:
    room = alice.create_room(bob)["id"]
    message = alice.send(room)
    path = f"/rooms/{room}"
    archived = alice.expect(200, "PATCH", path, json={"archived": True})
    assert archived["archived_at"] is not None

    for method, at, body in (
        ("POST", f"{path}/messages", SAY["json"]),
        ("PATCH", f"/messages/{message['id']}", {"text": "other"}),
        ("DELETE", f"/messages/{message['id']}", None),
        ("POST", f"{path}/messages/delete", {"ranges": [[1, 9]]}),
        ("PATCH", path, {"name": "other"}),
        ("PATCH", f"{path}/members/{bob.id}", {"role": "reader"}),
    ):
        alice.refused(409, "room_archived", method, at, json=body)
    for method, at, body in (
        ("PATCH", path, {"archived": True, "name": "room"}),
        ("PUT", f"{path}/members/{bob.id}", {"role": "member"}),
        ("POST", f"{path}/messages/delete", {"ranges": [[1, 2]]}),
        ("PUT", f"{path}/read", {"seq": 4}),
    ):
        alice.expect(200, method, at, json=body)
    assert bob.get(f"{path}/messages")["items"] == [message]

    back = alice.expect(200, "PATCH", path, json={"archived": False})
    assert back["archived_at"] is None
    assert alice.expect(200, "PATCH", path, json={"archived": False}) == back
    assert [event["type"] for event in bob.events(room, 3)] == ["room.archived", "room.updated"]
    assert bob.send(room)["seq"] == 6


@one_world
def test_only_moderators_write_in_a_frozen_room(alice: Person, bob: Person, carol: Person) -> None:
    room = alice.create_room(bob, carol)["id"]
    alice.expect(200, "PATCH", f"/rooms/{room}/members/{bob.id}", json={"role": "moderator"})
    said = carol.send(room)
    bob.expect(200, "PATCH", f"/rooms/{room}", json={"frozen": True})
    carol.refused(403, "permission_denied", "POST", f"/rooms/{room}/messages", **SAY)
    other = {"text": "other"}
    carol.refused(403, "permission_denied", "PATCH", f"/messages/{said['id']}", json=other)
    bob.send(room)
    bob.refused(403, "permission_denied", "PATCH", f"/rooms/{room}", json={"name": "mine"})


async def test_a_deleted_room_is_gone_for_everybody_at_once(alice: Person, bob: Person) -> None:
    room = alice.create_room(bob)["id"]
    message = alice.send(room)["id"]
    bob.refused(403, "permission_denied", "DELETE", f"/rooms/{room}")
    async with bob.socket() as his:
        await his.opened()
        await his.subscribe(room)
        alice.expect(204, "DELETE", f"/rooms/{room}")
        for person in (alice, bob):
            person.refused(404, "not_found", "GET", f"/rooms/{room}")
            person.refused(404, "not_found", "GET", f"/messages/{message}")
            person.refused(404, "not_found", "POST", f"/rooms/{room}/messages", **SAY)
            assert person.get("/rooms")["items"] == []
        frames = [await his.receive() for _ in range(3)]
    told = {frame["type"]: frame for frame in frames}
    assert told["unsubscribed"] == {"type": "unsubscribed", "stream": room, "reason": "deleted"}
    assert told["room.deleted"]["seq"] == 4
    assert told["room.removed"]["data"] == {"room_id": room, "seq": 4, "reason": "deleted"}


def test_metadata_that_differs_in_kind_alone_is_a_change(alice: Person) -> None:
    """Naive form: to Python, 1 is the same as true."""
    room = alice.create_room(metadata={"on": 1, "off": 0, "deep": [{"x": 1, "y": 2}]})
    path = f"/rooms/{room['id']}"
    same = {"deep": [{"y": 2, "x": 1}], "off": 0, "on": 1}
    assert alice.expect(200, "PATCH", path, json={"metadata": same})["last_seq"] == room["last_seq"]
    other = {"on": True, "off": False, "deep": [{"x": 1, "y": 2}]}
    changed = alice.expect(200, "PATCH", path, json={"metadata": other})
    assert json.dumps(changed["metadata"], sort_keys=True) == json.dumps(other, sort_keys=True)
    assert changed["last_seq"] == room["last_seq"] + 1
