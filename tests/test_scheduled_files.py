"""Files of messages that are said later: kept for them alone, until they are said or cancelled.

Naive forms that would fail: files that are collected while their message waits; files that
another message takes away meanwhile; files that a refused or cancelled message keeps for ever.
"""

import uuid
from collections.abc import Iterator
from functools import partial
from typing import Any

import pytest

from tests import servers
from tests.clients import Person, at_once, until
from tests.pictures import picture
from tests.record import change, in_seconds
from tests.servers import World
from tests.test_collecting import kept
from tests.test_scheduled import WAIT_SECONDS, fall_due, later, schedule, states, waiting

DAYS_AGO = -2 * 24 * 3600.0


def grow_old(world: World, upload: Any) -> None:
    """Have a file been sent two days ago, and everything cleared away that may be."""
    statement = "UPDATE api_upload SET created_at = %s WHERE id = %s"
    change(world, statement, in_seconds(DAYS_AGO), uuid.UUID(upload["id"]))
    assert world.manage("upkeep").returncode == 0


def status(person: Person, upload: Any) -> int:
    """Return how somebody is answered who asks for a file."""
    return person.call("GET", f"/attachments/{upload['id']}").status_code


def said(person: Person, room: str) -> list[Any]:
    """Return what has been said in a room, when something has."""
    return until(lambda: person.get(f"/rooms/{room}/messages")["items"], WAIT_SECONDS)


def test_files_are_kept_for_their_message_and_go_with_it(
    alice: Person, bob: Person, world: World
) -> None:
    room = alice.create_room(bob)["id"]
    files = [alice.upload("a.png", picture()), alice.upload("b.txt", b"text")]
    ids = [file["id"] for file in files]
    made = schedule(alice, room, "", attachment_ids=ids)
    assert made["attachments"] == files
    assert waiting(alice, room) == [made]
    for file in files:
        grow_old(world, file)
    assert set(ids) <= kept(world)
    assert [(status(alice, file), status(bob, file)) for file in files] == [(200, 404)] * 2
    fall_due(world, made)
    (message,) = said(bob, room)
    assert (message["text"], message["attachments"]) == ("", files)
    assert [status(bob, file) for file in files] == [200] * 2
    until(lambda: "sent" in states(alice), WAIT_SECONDS)
    for file in files:
        grow_old(world, file)
    assert [status(alice, file) for file in files] == [200] * 2


def test_what_is_kept_is_for_nothing_else(alice: Person, bob: Person, world: World) -> None:
    room = alice.create_room(bob)["id"]
    file = alice.upload("a.png", picture())
    body = {"attachment_ids": [file["id"]]}
    path, elsewhere = f"/rooms/{room}/scheduled", f"/rooms/{room}/messages"
    now, then = {"text": "now"} | body, {"text": "then", "send_at": later()} | body
    bob.refused(400, "invalid_request", "POST", path, json=then)
    calls = [lambda: alice.call("POST", path, json=then).status_code] * 3
    assert sorted(at_once(*calls)) == [201, 400, 400]
    problem = alice.refused(400, "invalid_request", "POST", elsewhere, json=now)
    assert problem["errors"][0]["pointer"] == "/attachment_ids/0"
    alice.refused(400, "invalid_request", "PATCH", "/me", json={"avatar_id": file["id"]})
    (made,) = waiting(alice, room)
    fall_due(world, made)
    assert [message["text"] for message in said(alice, room)] == ["then"]


def test_of_a_message_and_one_for_later_at_once_one_has_the_file(alice: Person) -> None:
    room = alice.create_room()["id"]
    path = f"/rooms/{room}"

    def answered(where: str, body: dict[str, Any]) -> int:
        return alice.call("POST", f"{path}/{where}", json=body).status_code

    for _ in range(5):
        body = {"text": "a", "attachment_ids": [alice.upload("a.txt", b"text")["id"]]}
        answers = at_once(
            partial(answered, "messages", body),
            partial(answered, "scheduled", body | {"send_at": later()}),
        )
        assert sorted(answers) == [201, 400]


def test_files_of_what_is_cancelled_are_unused_again(alice: Person, world: World) -> None:
    room = alice.create_room()["id"]
    used, left = alice.upload("a.txt", b"text"), alice.upload("b.txt", b"text")
    for file in (used, left):
        made = schedule(alice, room, attachment_ids=[file["id"]])
        alice.expect(204, "DELETE", f"/rooms/{room}/scheduled/{made['id']}")
    alice.send(room, attachment_ids=[used["id"]])
    for file in (used, left):
        grow_old(world, file)
    assert {used["id"], left["id"]} & kept(world) == {used["id"]}


def test_what_is_refused_then_keeps_its_files_until_it_is_taken_back(
    alice: Person, bob: Person, world: World
) -> None:
    room = alice.create_room(bob)["id"]
    file = bob.upload("a.txt", b"text")
    made = schedule(bob, room, attachment_ids=[file["id"]])
    alice.expect(200, "PATCH", f"/rooms/{room}", json={"archived": True})
    fall_due(world, made)
    until(lambda: "failed" in states(bob), WAIT_SECONDS)
    grow_old(world, file)
    assert waiting(bob, room)[0]["attachments"] == [file]
    assert (status(bob, file), status(alice, file)) == (200, 404)
    body = {"text": "again", "attachment_ids": [file["id"]]}
    alice.expect(200, "PATCH", f"/rooms/{room}", json={"archived": False})
    bob.refused(400, "invalid_request", "POST", f"/rooms/{room}/messages", json=body)
    bob.expect(204, "DELETE", f"/rooms/{room}/scheduled/{made['id']}")
    assert bob.send(room, attachment_ids=[file["id"]])["attachments"] == [file]


def test_what_has_to_wait_longer_keeps_its_files(alice: Person, bob: Person, world: World) -> None:
    room = alice.create_room(bob)["id"]
    alice.expect(200, "PATCH", f"/rooms/{room}", json={"slow_mode_seconds": 4})
    bob.send(room, "first")
    file = bob.upload("a.txt", b"text")
    fall_due(world, schedule(bob, room, "second", attachment_ids=[file["id"]]))
    grow_old(world, file)
    until(lambda: not waiting(bob, room), WAIT_SECONDS)
    _, message = said(alice, room)
    assert (message["text"], message["attachments"]) == ("second", [file])


@pytest.mark.parametrize("end", ["member", "room", "account"])
def test_files_of_who_is_gone_leave_the_disk(
    alice: Person, bob: Person, world: World, end: str
) -> None:
    room = alice.create_room(bob)["id"]
    file = bob.upload("a.png", picture())
    made = schedule(bob, room, attachment_ids=[file["id"]])
    if end == "member":
        alice.expect(204, "DELETE", f"/rooms/{room}/members/{bob.id}")
    elif end == "room":
        alice.expect(204, "DELETE", f"/rooms/{room}")
    else:
        assert world.manage("erase_user", bob.name).returncode == 0
    fall_due(world, made)
    until(lambda: end == "account" or "failed" in states(bob), WAIT_SECONDS)
    grow_old(world, file)
    assert not {file["id"], f"{file['id']}.thumbnail"} & kept(world)


@pytest.fixture
def alone() -> Iterator[World]:
    """A world whose server this test ends."""
    with servers.embedded() as found:
        yield found


def test_whatever_a_server_was_at_when_it_ended_it_is_said_once(alone: World) -> None:
    alice = Person.register(alone.server.url, "alice")
    room = alice.create_room()["id"]
    texts = ("waits", "begun", "said")
    files = {text: alice.upload(f"{text}.txt", b"text") for text in texts}
    made = {text: schedule(alice, room, text, attachment_ids=[files[text]["id"]]) for text in texts}
    alone.server.stop()
    for text in ("begun", "said"):
        which = uuid.UUID(made[text]["id"])
        change(alone, "UPDATE api_scheduledmessage SET begun = %s WHERE id = %s", "1", which)
        change(alone, "UPDATE api_upload SET used_by_kind = %s WHERE used_by_id = %s", "due", which)
    alice = alice.at(alone.start().url)
    known = {"client_msg_id": f"scheduled-{made['said']['id']}"}
    alice.send(room, "said", attachment_ids=[files["said"]["id"]], **known)
    for text in texts:
        fall_due(alone, made[text])
    until(lambda: states(alice).count("sent") == len(texts), WAIT_SECONDS)
    found = {message["text"]: message["attachments"] for message in said(alice, room)}
    assert found == {text: [file] for text, file in files.items()}
    assert len(said(alice, room)) == len(texts)
