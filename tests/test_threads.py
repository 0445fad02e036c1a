"""Threads: replies beside the history of a room, with a place of one's own in each."""

import uuid
from functools import partial
from typing import Any

import pytest

from tests.clients import Person, at_once, sender, told
from tests.servers import World, one_world


def reply(person: Person, root: dict[str, Any], text: str = "reply", **more: Any) -> dict[str, Any]:
    """Say something in a thread."""
    return person.send(root["room_id"], text, thread_id=root["id"], **more)


def page(person: Person, root: dict[str, Any], query: str = "") -> dict[str, Any]:
    """Return a page of a thread."""
    found: dict[str, Any] = person.get(f"/messages/{root['id']}/thread{query}")
    return found


def read(person: Person, root: dict[str, Any], seq: int, **more: Any) -> Any:
    """Note how far a person has read in a thread; return the counts."""
    path = f"/messages/{root['id']}/thread/read"
    return person.expect(200, "PUT", path, json={"seq": seq} | more)


def counts(root: dict[str, Any], read_seq: int, unread: int, head: int) -> dict[str, Any]:
    """Return a thread's counts object."""
    marks = {"read_seq": read_seq, "unread_count": unread}
    return {"message_id": root["id"], "head": head} | marks


def seqs(found: dict[str, Any]) -> list[int]:
    return [item["seq"] for item in found["items"]]


def test_replies_are_a_list_of_their_own_and_part_of_the_history(
    alice: Person, bob: Person
) -> None:
    room = alice.create_room(bob)["id"]
    root, other = alice.send(room, "root"), bob.send(room, "other")
    first = reply(bob, root, "first")
    between = alice.send(room, "between")
    second = reply(alice, root, "second", reply_to_id=first["id"])
    assert (first["thread_id"], first["thread"], root["thread_id"]) == (root["id"], None, None)
    assert second["reply_to_id"] == first["id"]

    edges = {"from": 1, "to": 7, "head": 7, "has_more": False}
    mine = {"read_seq": 3, "unread_count": 1}
    assert page(alice, root) == {"items": [first, second]} | edges | mine
    history = f"/rooms/{room}/messages"
    shown = bob.get(f"{history}?ids={root['id']}")["items"][0]
    assert bob.get(history) == {"items": [shown, other, first, between, second]} | edges
    assert bob.get(f"{history}?thread=none") == {"items": [shown, other, between]} | edges
    asked = ",".join(item["id"] for item in (first, other))
    assert bob.get(f"{history}?ids={asked}&thread=none")["items"] == [other]
    assert bob.get(f"/rooms/{room}")["last_message"] == between
    events = [event for event in bob.events(room) if event["type"] == "message.created"]
    assert [event["data"] for event in events] == [
        told(item) for item in (shown, other, first, between, second)
    ]


def test_a_root_shows_how_many_replies_it_has_the_last_one_and_who_spoke_last(
    alice: Person, bob: Person, carol: Person
) -> None:
    more = [Person.register(alice.url, f"more{n}") for n in range(4)]
    room = alice.create_room(bob, carol, *more)["id"]
    root, other = alice.send(room, "root"), alice.send(room, "other")

    def shown() -> Any:
        items = bob.get(f"/rooms/{room}/messages?thread=none")["items"]
        assert items[0] == bob.get(f"/messages/{root['id']}")
        assert items[1:] == [other]
        return items[0]["thread"]

    def summary(count: int, last: dict[str, Any], *people: Person) -> dict[str, Any]:
        users = [sender(person.user) for person in people]
        return {"count": count, "last_seq": last["seq"], "users": users}

    assert shown() is None
    first = reply(bob, root)
    assert shown() == summary(1, first, bob)
    second, last = reply(carol, root), reply(bob, root)
    assert shown() == summary(3, last, bob, carol)
    bob.expect(200, "DELETE", f"/messages/{last['id']}")
    assert shown() == summary(2, second, carol, bob)
    late = [reply(person, root) for person in more]
    assert shown() == summary(6, late[3], *more[::-1], carol)
    ranges = {"ranges": [[late[0]["seq"], late[2]["seq"]], [second["seq"], second["seq"]]]}
    alice.expect(200, "POST", f"/rooms/{room}/messages/delete", json=ranges)
    assert shown() == summary(2, late[3], more[3], bob)
    alice.expect(200, "DELETE", f"/messages/{root['id']}")
    assert shown() == summary(2, late[3], more[3], bob)
    assert len(page(bob, root)["items"]) == 7
    for item in (first, late[3]):
        alice.expect(200, "DELETE", f"/messages/{item['id']}")
    assert shown() is None


def test_a_thread_is_paged_by_the_numbers_of_its_room(alice: Person) -> None:
    room = alice.create_room()["id"]
    root = alice.send(room)
    replies = []
    for _ in range(5):
        replies.append(reply(alice, root)["seq"])
        alice.send(room)
    head = replies[-1] + 1

    def edges(query: str) -> tuple[Any, ...]:
        found = page(alice, root, query)
        return seqs(found), found["from"], found["to"], found["head"], found["has_more"]

    assert edges("?limit=2") == (replies[3:], replies[3], head, head, True)
    assert edges(f"?limit=2&before={replies[3]}") == (
        *(replies[1:3], replies[1], replies[3] - 1, head, True),
    )
    assert edges(f"?limit=9&before={replies[1]}") == (replies[:1], 1, replies[1] - 1, head, False)
    assert edges("?limit=3&after=0") == (replies[:3], 1, replies[2], head, True)
    assert edges(f"?after={replies[2]}") == (replies[3:], replies[2] + 1, head, head, False)
    assert edges(f"?around={replies[2]}&limit=3")[0] == replies[1:4]
    for bad in ("?limit=0", "?limit=201", "?before=1&after=1", "?after=x", "?ids=1"):
        alice.refused(400, "invalid_request", "GET", f"/messages/{root['id']}/thread{bad}")


@one_world
def test_a_message_without_replies_has_an_empty_thread_and_a_reply_has_none(alice: Person) -> None:
    root = alice.send(alice.create_room()["id"])
    edges = {"from": 1, "to": 2, "head": 2, "has_more": False}
    assert page(alice, root) == {"items": [], "read_seq": None, "unread_count": None} | edges
    answer = reply(alice, root)
    nothing = f"/messages/{uuid.UUID(int=1)}"
    for path in (f"/messages/{answer['id']}", nothing):
        alice.refused(404, "not_found", "GET", f"{path}/thread")
        alice.refused(404, "not_found", "PUT", f"{path}/thread/read", json={"seq": 1})


@one_world
async def test_a_thread_hangs_on_a_living_message_of_the_same_room(
    alice: Person, bob: Person
) -> None:
    room, elsewhere = alice.create_room(bob)["id"], alice.create_room()["id"]
    root = alice.send(room)
    answer, gone = reply(alice, root), alice.send(room)
    alice.expect(200, "DELETE", f"/messages/{gone['id']}")
    foreign, head = alice.send(elsewhere)["id"], alice.get(f"/rooms/{room}")["last_seq"]
    async with bob.socket() as socket:
        await socket.opened()
        for thread_id in (answer["id"], gone["id"], foreign, str(uuid.UUID(int=1))):
            content = {"text": "x", "thread_id": thread_id}
            path = f"/rooms/{room}/messages"
            problem = bob.refused(400, "invalid_request", "POST", path, json=content)
            assert [fault["pointer"] for fault in problem["errors"]] == ["/thread_id"]
            refused = await socket.ask("message.send", room_id=room, **content)
            assert (refused["code"], refused["errors"]) == ("invalid_request", problem["errors"])
    assert alice.get(f"/rooms/{room}")["last_seq"] == head
    assert seqs(page(alice, root)) == [answer["seq"]]


async def test_a_reply_over_the_socket_is_the_same_and_is_sent_once(
    alice: Person, bob: Person
) -> None:
    room = alice.create_room(bob)["id"]
    root = alice.send(room)
    async with bob.socket() as socket:
        await socket.opened()
        await socket.subscribe(room)
        content = {"text": "reply", "thread_id": root["id"], "client_msg_id": "one"}
        sent = await socket.ok("message.send", room_id=room, **content)
        await socket.reach(room, sent["message"]["seq"])
        assert [event["data"] for event in socket.of(room)] == [sent["message"]]
    assert sent["message"]["thread_id"] == root["id"]
    alice.expect(200, "DELETE", f"/messages/{root['id']}")
    path = f"/rooms/{room}/messages"
    again = bob.expect(200, "POST", path, json=content)
    assert told(again) == sent["message"]
    outside = {name: content[name] for name in ("text", "client_msg_id")}
    bob.refused(409, "idempotency_conflict", "POST", path, json=outside)
    assert [told(item) for item in page(alice, root)["items"]] == [sent["message"]]


def test_what_is_said_in_threads_is_not_unread_in_the_room(alice: Person, bob: Person) -> None:
    room = alice.create_room(bob)["id"]
    root = alice.send(room)
    for _ in range(3):
        reply(alice, root)
    alice.send(room)
    assert bob.get(f"/rooms/{room}")["unread_count"] == 2
    assert bob.get("/sync")["rooms"][0]["unread_count"] == 2
    counted = bob.expect(200, "PUT", f"/rooms/{room}/read", json={"seq": 3})
    assert (counted["unread_count"], counted["head"]) == (1, 7)


def test_who_takes_part_has_a_place_and_a_count(alice: Person, bob: Person, carol: Person) -> None:
    room = alice.create_room(bob, carol)["id"]
    root = alice.send(room)  # 4
    early = reply(bob, root)  # 5
    reply(carol, root)
    deleted = reply(carol, root)
    reply(alice, root)  # 8
    alice.send(room)
    marks = {
        person.name: (found["read_seq"], found["unread_count"])
        for person in (alice, bob, carol)
        for found in [page(person, root)]
    }
    assert marks == {alice.name: (4, 3), bob.name: (5, 3), carol.name: (6, 1)}
    carol.expect(200, "DELETE", f"/messages/{deleted['id']}")
    assert read(alice, root, early["seq"]) == counts(root, 5, 1, 10)
    assert read(bob, root, 99) == counts(root, 10, 0, 10)
    assert read(bob, root, 5) == counts(root, 10, 0, 10)
    assert read(bob, root, 5, backward=True) == counts(root, 5, 2, 10)


async def test_reading_a_thread_is_told_to_ones_other_devices_and_to_nobody_else(
    alice: Person, bob: Person
) -> None:
    room = alice.create_room(bob)["id"]
    root, other = alice.send(room), alice.send(room)
    reply(alice, root)
    async with bob.login("phone").socket() as phone:
        await phone.opened()
        assert read(bob, root, 3) == counts(root, 3, 1, 5)
        moved = await phone.until("thread.read")
        assert moved["data"] == counts(root, 3, 1, 5)
        assert (moved["stream"], moved["actor_id"]) == (bob.id, bob.id)
        assert read(bob, root, 3) == read(bob, root, 2) == counts(root, 3, 1, 5)
        assert read(bob, root, 5) == counts(root, 5, 0, 5)
        assert (await phone.until("thread.read"))["seq"] == moved["seq"] + 1
    read(bob, other, 4)
    replayed = [event for event in bob.events(bob.id) if event["type"] == "thread.read"]
    assert [event["data"] for event in replayed] == [counts(root, 5, 0, 5), counts(other, 4, 0, 5)]
    assert (page(bob, root)["read_seq"], page(bob, root)["unread_count"]) == (5, 0)
    assert alice.get(f"/rooms/{room}")["last_seq"] == 5
    assert [event["type"] for event in alice.events(alice.id)] == ["room.added"]


@one_world
@pytest.mark.parametrize("body", [{}, {"seq": -1}, {"seq": 2**53}, {"seq": "1"}, {"at": 2}])
def test_a_place_that_makes_no_sense_is_refused(alice: Person, body: dict[str, Any]) -> None:
    root = alice.send(alice.create_room()["id"])
    path = f"/messages/{root['id']}/thread/read"
    alice.refused(400, "invalid_request", "PUT", path, json=body)


def test_many_replies_and_deletions_at_once_leave_nobody_miscounted(
    world: World, alice: Person, bob: Person, carol: Person
) -> None:
    room = alice.create_room(bob, carol)["id"]
    root = alice.send(room)
    people = (alice, bob, carol)
    said = at_once(*[partial(reply, person, root, str(n)) for n in range(3) for person in people])
    gone = [partial(alice.expect, 200, "DELETE", f"/messages/{item['id']}") for item in said[::2]]
    more = [partial(reply, person, root, "more") for person in people]
    at_once(*gone, *more)
    kept = [item["seq"] for item in said[1::2]] + [
        item["seq"] for item in page(alice, root)["items"] if item["text"] == "more"
    ]
    shown = page(alice, root)["items"]
    assert sorted(kept) == [item["seq"] for item in shown if item["deleted_at"] is None]
    assert len(shown) == 12
