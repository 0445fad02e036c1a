"""Fetch, act, apply, compare: events lead a client's threads to what a fresh fetch shows."""

import json
from functools import partial
from itertools import islice
from typing import Any

from tests.clients import Person, at_once
from tests.known import Known
from tests.servers import PROJECT

LINES = 120  # of the first room of the export: most of them answer others


def derived(known: Known) -> dict[str, Any]:
    """Return the threads that somebody sees who holds all messages of a room."""
    last: dict[str, dict[str, int]] = {}
    count: dict[str, int] = {}
    for message in sorted(known.messages.values(), key=lambda message: message["seq"]):
        root = message["thread_id"]
        if root is not None and message["deleted_at"] is None:
            count[root] = count.get(root, 0) + 1
            last.setdefault(root, {})[message["sender"]] = message["seq"]
    return {
        root: {
            "count": count[root],
            "last_seq": max(spoke.values()),
            "users": sorted(spoke, key=lambda user: -spoke[user])[:5],
        }
        for root, spoke in last.items()
    }


def fetched(person: Person, room: str) -> dict[str, Any]:
    """Return the threads that the roots of a room show."""
    threads = {}
    after = 0
    while True:
        page = person.get(f"/rooms/{room}/messages?thread=none&limit=200&after={after}")
        for item in page["items"]:
            assert item["thread_id"] is None
            if item["thread"] is not None:
                users = [user["id"] for user in item["thread"]["users"]]
                threads[item["id"]] = item["thread"] | {"users": users}
        if not page["has_more"]:
            return threads
        after = page["to"]


def known_to(person: Person, room: str) -> Known:
    """Return what a fetch of all messages leads to."""
    known = Known()
    for item in person.get(f"/rooms/{room}/messages?limit=200")["items"]:
        known.take_message(item)
    return known


async def test_events_of_replies_lead_to_what_is_fetched(
    alice: Person, bob: Person, carol: Person
) -> None:
    room = alice.create_room(bob, carol)["id"]
    people = (alice, bob, carol)
    roots = [alice.send(room, "one"), bob.send(room, "two")]
    async with carol.socket() as socket:
        await socket.opened()
        await socket.subscribe(room)

        def reply(person: Person, root: dict[str, Any]) -> dict[str, Any]:
            return person.send(room, "reply", thread_id=root["id"])

        before = known_to(carol, room)
        said = at_once(*[partial(reply, one, root) for root in roots * 2 for one in people])
        gone = [
            partial(alice.expect, 200, "DELETE", f"/messages/{item['id']}") for item in said[::3]
        ]
        at_once(*gone, *[partial(reply, one, roots[0]) for one in people])
        between = known_to(carol, room)
        ranges = {"ranges": [[said[1]["seq"], said[1]["seq"]], [roots[1]["seq"], 6]]}
        alice.expect(200, "POST", f"/rooms/{room}/messages/delete", json=ranges)
        await socket.reach(room, carol.get(f"/rooms/{room}")["last_seq"])
        live = socket.of(room)
    fresh = fetched(bob, room)
    assert len(fresh) == 2
    assert derived(before.apply(live)) == derived(before.apply(live)) == fresh
    assert derived(between.apply(live)) == derived(known_to(bob, room)) == fresh
    assert derived(Known().apply(bob.events(room))) == fresh


def test_events_of_reading_lead_to_what_is_fetched(alice: Person, bob: Person) -> None:
    room = alice.create_room(bob)["id"]
    roots = [alice.send(room) for _ in range(2)]
    for root in roots * 3:
        alice.send(room, "reply", thread_id=root["id"])
    for n, seq, backward in ((0, 5, False), (1, 99, False), (0, 8, False), (0, 6, True)):
        path = f"/messages/{roots[n]['id']}/thread/read"
        bob.expect(200, "PUT", path, json={"seq": seq, "backward": backward})
    read = {
        event["data"]["message_id"]: event["data"]
        for event in bob.events(bob.id)
        if event["type"] == "thread.read"
    }
    fresh = {}
    for root in roots:
        page = bob.get(f"/messages/{root['id']}/thread")
        marks = {name: page[name] for name in ("read_seq", "unread_count", "head")}
        fresh[root["id"]] = {"message_id": root["id"]} | marks
    assert read == fresh


def test_real_conversations_are_told_as_threads(alice: Person, bob: Person) -> None:
    with (PROJECT / "demo" / "ubuntu-irc.jsonl").open() as export:
        lines = [json.loads(text) for text in islice(export, LINES)]
    root_of: dict[int, int] = {}
    expected: dict[int, int] = {}
    for line in lines:
        answered = line["reply_to"]
        root_of[line["n"]] = line["n"] if answered is None else root_of[answered]
        if answered is not None:
            expected[root_of[line["n"]]] = expected.get(root_of[line["n"]], 0) + 1
    assert sum(expected.values()) > 100

    room, said = alice.create_room(bob)["id"], dict[int, str]()
    for line in lines:
        answers: dict[str, str] = {}
        if line["reply_to"] is not None:
            root = said[root_of[line["n"]]]
            answers = {"reply_to_id": said[line["reply_to"]], "thread_id": root}
        person = alice if line["n"] % 2 else bob
        said[line["n"]] = person.send(room, line["text"], **answers)["id"]

    threads = fetched(bob, room)
    assert {root: thread["count"] for root, thread in threads.items()} == {
        said[n]: count for n, count in expected.items()
    }
    shown = bob.get(f"/rooms/{room}/messages?thread=none&limit=200")["items"]
    openings = [line for line in lines if line["reply_to"] is None]
    assert [item["text"] for item in shown] == [line["text"] for line in openings]
    unread = sum(line["n"] % 2 for line in openings)
    assert bob.get(f"/rooms/{room}")["unread_count"] == unread
    for root, thread in threads.items():
        replies = bob.get(f"/messages/{root}/thread?limit=200")["items"]
        assert len(replies) == thread["count"]
        assert replies[-1]["seq"] == thread["last_seq"]
