"""The threads one follows, of all rooms in one list: what to read next, on any device.

Naive forms that would fail: threads of rooms one has left; threads that one has only looked at;
an order by the root; a question for each thread.
"""

from typing import Any

from tests.clients import Person, at_once
from tests.test_threads import counts, read, reply


def followed(person: Person, **query: Any) -> Any:
    """Return a page of the threads that somebody follows."""
    return person.get("/me/threads", params=query)


def roots(person: Person) -> list[str]:
    """Return which threads somebody follows."""
    return [item["root"]["id"] for item in followed(person)["items"]]


def test_the_newest_reply_of_all_rooms_comes_first(
    alice: Person, bob: Person, carol: Person
) -> None:
    rooms = [alice.create_room(bob, carol)["id"] for _ in range(2)]
    assert followed(alice) == {"items": [], "next_cursor": None}
    first, second = (alice.send(room, "root") for room in rooms)
    bob.send(rooms[0], "no reply", reply_to_id=first["id"])
    assert roots(alice) == roots(bob) == []
    reply(bob, first)
    last = reply(bob, second)
    assert roots(alice) == roots(bob) == [second["id"], first["id"]]
    newest = reply(alice, first)
    assert roots(alice) == roots(bob) == [first["id"], second["id"]]
    page = followed(bob)
    assert page["next_cursor"] is None
    assert page["items"] == [
        {
            "root": bob.get(f"/messages/{first['id']}"),
            "last_reply": newest,
            "read_seq": first["seq"] + 2,
            "unread_count": 1,
            "head": newest["seq"],
        },
        {
            "root": bob.get(f"/messages/{second['id']}"),
            "last_reply": last,
            "read_seq": last["seq"],
            "unread_count": 0,
            "head": last["seq"],
        },
    ]
    assert followed(carol)["items"] == []


def test_how_far_one_has_read_is_what_the_thread_itself_says(alice: Person, bob: Person) -> None:
    room = alice.create_room(bob)["id"]
    root = alice.send(room)
    answers = [reply(bob, root) for _ in range(3)]
    head = answers[-1]["seq"]
    for seq, unread in ((root["seq"], 3), (answers[0]["seq"], 2), (head, 0)):
        assert read(alice, root, seq) == counts(root, seq, unread, head)
        (item,) = followed(alice)["items"]
        marks = (item["read_seq"], item["unread_count"], item["head"])
        assert marks == (seq, unread, head)
    read(alice, root, root["seq"], backward=True)
    bob.expect(200, "DELETE", f"/messages/{answers[1]['id']}")
    (item,) = followed(alice)["items"]
    assert (item["unread_count"], item["head"]) == (2, head + 1)


def test_who_only_reads_a_thread_does_not_follow_it(alice: Person, bob: Person) -> None:
    room = alice.create_room(bob)["id"]
    root = alice.send(room)
    reply(alice, root)
    read(bob, root, 100)
    assert roots(bob) == []
    mine = reply(bob, root)
    assert roots(bob) == [root["id"]]
    bob.expect(200, "DELETE", f"/messages/{mine['id']}")
    assert roots(bob) == [root["id"]]


def test_only_what_is_there_is_shown_and_only_to_who_is_there(alice: Person, bob: Person) -> None:
    room, other = alice.create_room(bob)["id"], alice.create_room(bob)["id"]
    root, elsewhere = alice.send(room), alice.send(other)
    first, second = reply(bob, root, "first"), reply(bob, root, "second")
    reply(bob, elsewhere)
    bob.expect(200, "DELETE", f"/messages/{second['id']}")
    alice.expect(200, "DELETE", f"/messages/{root['id']}")
    _, item = followed(bob)["items"]
    assert (item["last_reply"], item["root"]["text"]) == (first, None)
    bob.expect(200, "DELETE", f"/messages/{first['id']}")
    assert roots(alice) == roots(bob) == [elsewhere["id"]]
    alice.expect(204, "DELETE", f"/rooms/{other}/members/{bob.id}")
    assert (roots(alice), roots(bob)) == ([elsewhere["id"]], [])
    alice.expect(201, "PUT", f"/rooms/{other}/members/{bob.id}")
    assert roots(bob) == [elsewhere["id"]]
    alice.expect(204, "DELETE", f"/rooms/{other}")
    assert roots(alice) == roots(bob) == []


def test_pages_have_no_hole_and_no_repeat(alice: Person, bob: Person) -> None:
    room = alice.create_room(bob)["id"]
    begun = [alice.send(room, str(number)) for number in range(7)]
    at_once(*[lambda root=root: reply(bob, root) for root in begun])
    first = followed(alice, limit=3)
    assert len(first["items"]) == 3
    moved = reply(bob, {"room_id": room, "id": first["items"][-1]["root"]["id"]})
    second = followed(alice, limit=3, cursor=first["next_cursor"])
    third = followed(alice, limit=3, cursor=second["next_cursor"])
    assert third["next_cursor"] is None
    shown = [item["root"]["id"] for page in (first, second, third) for item in page["items"]]
    assert sorted(shown) == sorted(root["id"] for root in begun)
    assert roots(alice)[0] == moved["thread_id"]
    alice.refused(400, "invalid_request", "GET", "/me/threads", params={"cursor": "abc"})
