"""Pins: what a room keeps in sight, put there by its moderators."""

import asyncio
from functools import partial
from typing import Any

import pytest

from tests.clients import Person, at_once, told
from tests.servers import World, one_world


def pin(person: Person, message: dict[str, Any]) -> dict[str, Any]:
    pinned: dict[str, Any] = person.expect(200, "PUT", f"/messages/{message['id']}/pin")
    return pinned


def unpin(person: Person, message: dict[str, Any]) -> dict[str, Any]:
    unpinned: dict[str, Any] = person.expect(200, "DELETE", f"/messages/{message['id']}/pin")
    return unpinned


def test_a_pin_is_one_event_and_its_repetition_none(alice: Person, bob: Person) -> None:
    room = alice.create_room(bob)["id"]
    said = bob.send(room)
    assert unpin(alice, said) == said

    pinned = pin(alice, said)

    assert pinned == said | {"pinned": True, "changed_seq": 4}
    (event,) = bob.events(room, after=3)
    assert (event["type"], event["actor_id"]) == ("message.pinned", alice.id)
    assert event["data"] == told(pinned)
    assert pin(alice, said) == pinned
    assert bob.get(f"/messages/{said['id']}") == pinned
    assert bob.get(f"/rooms/{room}/messages")["items"] == [pinned]
    assert bob.get(f"/rooms/{room}")["last_message"] == pinned

    unpinned = unpin(alice, said)

    assert unpinned == said | {"changed_seq": 5}
    (_, event) = bob.events(room, after=3)
    assert (event["type"], event["actor_id"]) == ("message.unpinned", alice.id)
    assert event["data"] == told(unpinned)
    assert unpin(alice, said) == unpinned
    assert bob.get(f"/rooms/{room}")["last_seq"] == 5


def test_pins_are_a_list_by_number_as_the_reader_sees_them(alice: Person, bob: Person) -> None:
    room = alice.create_room(bob)["id"]
    pins = f"/rooms/{room}/pins"
    assert bob.get(pins) == {"items": [], "from": 1, "to": 2, "head": 2, "has_more": False}
    said = [alice.send(room, str(number)) for number in range(6)]
    for place in (4, 0, 2):
        pin(alice, said[place])
    bob.expect(200, "PUT", f"/messages/{said[2]['id']}/reactions/👍")

    items = [bob.get(f"/messages/{said[place]['id']}") for place in (0, 2, 4)]
    assert items[1]["reactions"] == [{"emoji": "👍", "count": 1, "mine": True}]
    everything = {"items": items, "from": 1, "to": 12, "head": 12, "has_more": False}
    assert bob.get(pins) == everything
    assert bob.get(f"{pins}?around=5&limit=3") == everything
    newest = {"items": items[1:], "from": 5, "to": 12, "head": 12, "has_more": True}
    assert bob.get(f"{pins}?limit=2") == newest
    older = {"items": items[:1], "from": 1, "to": 4, "head": 12, "has_more": False}
    assert bob.get(f"{pins}?before=5") == older
    first = {"items": items[:2], "from": 1, "to": 5, "head": 12, "has_more": True}
    assert bob.get(f"{pins}?after=0&limit=2") == first
    last = {"items": items[2:], "from": 6, "to": 12, "head": 12, "has_more": False}
    assert bob.get(f"{pins}?after=5&limit=2") == last
    for query in ("limit=0", "limit=201", "before=1&after=1", "ids=x", "before=-1"):
        bob.refused(400, "invalid_request", "GET", f"{pins}?{query}")


async def test_old_state_and_events_are_what_a_fresh_look_shows(alice: Person, bob: Person) -> None:
    room = alice.create_room(bob)["id"]
    said = [bob.send(room, str(number)) for number in range(3)]
    looks = [bob.get(f"/rooms/{room}/pins")]

    def happens() -> None:
        for act, place in ((pin, 0), (pin, 2), (unpin, 0), (pin, 1), (pin, 0), (unpin, 2)):
            act(alice, said[place])
            looks.append(bob.get(f"/rooms/{room}/pins"))
        alice.expect(200, "DELETE", f"/messages/{said[1]['id']}")
        looks.append(bob.get(f"/rooms/{room}/pins"))

    async with bob.socket() as live:
        await live.opened()
        await live.subscribe(room)
        await asyncio.to_thread(happens)
        await live.reach(room, looks[-1]["head"])
    fresh = looks[-1]
    assert [message["id"] for message in fresh["items"]] == [said[0]["id"]]
    for look in looks:
        pins, position = {message["id"]: told(message) for message in look["items"]}, look["head"]
        for event in [*live.of(room), *live.of(room)]:
            if event["seq"] > position:
                position, message = event["seq"], event["data"]
                pins.pop(message["id"], None)
                if message["pinned"]:
                    pins[message["id"]] = message
        assert [*pins.values()] == [told(message) for message in fresh["items"]]


@one_world
def test_in_a_direct_room_everybody_pins(alice: Person, bob: Person) -> None:
    body = {"user_ids": [bob.id]}
    room = alice.expect(201, "POST", "/rooms/direct", json=body)["id"]
    said = alice.send(room)
    assert pin(bob, said)["pinned"]
    assert [message["id"] for message in alice.get(f"/rooms/{room}/pins")["items"]] == [said["id"]]
    assert not unpin(alice, said)["pinned"]


@one_world
def test_only_moderators_pin_and_unpin_in_a_room(alice: Person, bob: Person) -> None:
    room = alice.create_room(bob)["id"]
    said = bob.send(room)
    bob.refused(403, "permission_denied", "PUT", f"/messages/{said['id']}/pin")
    pin(alice, said)
    bob.refused(403, "permission_denied", "DELETE", f"/messages/{said['id']}/pin")
    alice.expect(200, "PATCH", f"/rooms/{room}/members/{bob.id}", json={"role": "moderator"})
    assert not unpin(bob, said)["pinned"]


@pytest.mark.parametrize("way", ["one", "range"])
def test_what_is_deleted_is_no_longer_pinned(alice: Person, way: str) -> None:
    room = alice.create_room()["id"]
    said, beside = alice.send(room), alice.send(room)
    pin(alice, said)
    kept = pin(alice, beside)
    if way == "one":
        assert not alice.expect(200, "DELETE", f"/messages/{said['id']}")["pinned"]
    else:
        ranges = {"ranges": [[said["seq"]] * 2]}
        alice.expect(200, "POST", f"/rooms/{room}/messages/delete", json=ranges)
    assert not alice.get(f"/messages/{said['id']}")["pinned"]
    assert alice.get(f"/rooms/{room}/pins")["items"] == [kept]
    for method in ("PUT", "DELETE"):
        alice.refused(404, "not_found", method, f"/messages/{said['id']}/pin")


def test_a_room_has_a_hundred_pins_also_when_all_pin_at_once(world: World, alice: Person) -> None:
    room = alice.create_room()["id"]
    said = [alice.send(room, str(number)) for number in range(104)]
    for message in said[:98]:
        pin(alice, message)
    servers = [alice.at(server.url) for server in (world.server, world.other)] * 3

    answers = at_once(
        *(
            partial(person.call, "PUT", f"/messages/{message['id']}/pin")
            for person, message in zip(servers, said[98:], strict=True)
        )
    )

    assert sorted(answer.status_code for answer in answers) == [200] * 2 + [409] * 4
    refused = [answer.json()["code"] for answer in answers if answer.status_code == 409]
    assert set(refused) == {"limit_reached"}
    assert len(alice.get(f"/rooms/{room}/pins?limit=200")["items"]) == 100
    unpin(alice, said[0])
    pinned = {message["id"] for message in alice.get(f"/rooms/{room}/pins?limit=200")["items"]}
    assert pin(alice, next(one for one in said[98:] if one["id"] not in pinned))["pinned"]


@one_world
def test_an_archived_room_keeps_its_pins(alice: Person) -> None:
    room = alice.create_room()["id"]
    said, other = alice.send(room), alice.send(room)
    pinned = pin(alice, said)
    alice.expect(200, "PATCH", f"/rooms/{room}", json={"archived": True})
    alice.refused(409, "room_archived", "DELETE", f"/messages/{said['id']}/pin")
    alice.refused(409, "room_archived", "PUT", f"/messages/{other['id']}/pin")
    assert pin(alice, said) == pinned
    assert alice.get(f"/rooms/{room}/pins")["items"] == [pinned]
