"""Messages change: edited by their authors, deleted one by one or in ranges; and who may."""

from functools import partial
from typing import Any

import pytest

from tests.clients import Person, at_once
from tests.servers import one_world


def tombstone(message: dict[str, Any], seq: int, deleted_at: str) -> dict[str, Any]:
    """Return what is left of a message."""
    lost = {"text": None, "metadata": None, "reply_to_id": None, "pinned": False}
    return message | lost | {"changed_seq": seq, "deleted_at": deleted_at}


def test_an_edit_is_one_event_and_its_repetition_none(alice: Person, bob: Person) -> None:
    room = alice.create_room(bob)["id"]
    said = bob.send(room, "frist", metadata={"kept": 1})
    path = f"/messages/{said['id']}"

    edited = bob.expect(200, "PATCH", path, json={"text": "first"})

    (event,) = alice.events(room, after=3)
    changed = {"text": "first", "changed_seq": 4, "edited_at": event["at"]}
    assert edited == said | changed
    assert (event["type"], event["actor_id"]) == ("message.edited", bob.id)
    assert event["data"] == {name: edited[name] for name in event["data"]}
    assert bob.expect(200, "PATCH", path, json={"text": "first"}) == edited
    assert alice.get(path) == edited
    assert alice.get(f"/rooms/{room}")["last_seq"] == 4


@one_world
def test_an_edit_may_ask_that_nobody_was_faster(alice: Person) -> None:
    room = alice.create_room()["id"]
    said = alice.send(room, "one")
    path = f"/messages/{said['id']}"
    edited = alice.expect(200, "PATCH", path, json={"text": "two", "if_changed_seq": said["seq"]})
    late = {"text": "three", "if_changed_seq": said["seq"]}
    alice.refused(409, "conflict", "PATCH", path, json=late)
    again = {"text": "two", "if_changed_seq": said["seq"]}
    assert alice.expect(200, "PATCH", path, json=again) == edited
    now = {"text": "three", "if_changed_seq": edited["changed_seq"]}
    assert alice.expect(200, "PATCH", path, json=now)["text"] == "three"


def test_of_edits_at_once_from_the_same_state_one_wins(alice: Person, bob: Person) -> None:
    room = alice.create_room()["id"]
    said = alice.send(room, "zero")
    edits = [
        partial(
            person.call,
            "PATCH",
            f"/messages/{said['id']}",
            json={"text": f"{number}", "if_changed_seq": said["changed_seq"]},
        )
        for number, person in enumerate([alice, alice.at(bob.url)] * 4)
    ]
    answers = at_once(*edits)
    assert sorted(answer.status_code for answer in answers) == [200] + [409] * 7
    (won,) = [answer.json() for answer in answers if answer.status_code == 200]
    assert alice.get(f"/rooms/{room}/messages")["items"] == [won]
    assert won["changed_seq"] == alice.get(f"/rooms/{room}")["last_seq"] == 3


@one_world
def test_only_its_author_edits_a_message_and_none_that_is_gone(alice: Person, bob: Person) -> None:
    room = alice.create_room(bob)["id"]
    said = bob.send(room)
    path = f"/messages/{said['id']}"
    alice.refused(403, "permission_denied", "PATCH", path, json={"text": "mine"})
    for text in ("", " \n", "😀" * 10_001):
        bob.refused(400, "invalid_request", "PATCH", path, json={"text": text})
    assert bob.get(path) == said
    bob.expect(200, "DELETE", path)
    bob.refused(404, "not_found", "PATCH", path, json={"text": "back"})


@pytest.mark.parametrize("by", ["author", "moderator"])
def test_a_deleted_message_leaves_a_tombstone(
    alice: Person, bob: Person, carol: Person, by: str
) -> None:
    room = alice.create_room(bob, carol)["id"]
    alice.expect(200, "PATCH", f"/rooms/{room}/members/{carol.id}", json={"role": "moderator"})
    asked = alice.send(room)["id"]
    said = bob.send(room, "oops", metadata={"a": 1}, reply_to_id=asked, client_msg_id="c")
    path = f"/messages/{said['id']}"
    actor = bob if by == "author" else carol

    gone = actor.expect(200, "DELETE", path)

    (event,) = alice.events(room, after=6)
    assert gone == tombstone(said, seq=7, deleted_at=event["at"])
    assert (event["type"], event["actor_id"]) == ("message.deleted", actor.id)
    assert event["data"] == {name: gone[name] for name in event["data"]}
    assert actor.expect(200, "DELETE", path) == gone
    assert alice.get(path) == gone
    assert alice.get(f"/rooms/{room}/messages")["items"][-1] == gone
    assert alice.get(f"/rooms/{room}")["last_seq"] == 7


@one_world
def test_nobody_deletes_what_an_equal_or_a_higher_role_has_said(
    alice: Person, bob: Person, carol: Person
) -> None:
    room = alice.create_room(bob, carol)["id"]
    by_owner, by_bob, by_carol = alice.send(room), bob.send(room), carol.send(room)
    bob.refused(403, "permission_denied", "DELETE", f"/messages/{by_carol['id']}")
    for person in (bob, carol):
        to = {"role": "moderator"}
        alice.expect(200, "PATCH", f"/rooms/{room}/members/{person.id}", json=to)
    for message in (by_owner, by_carol):
        bob.refused(403, "permission_denied", "DELETE", f"/messages/{message['id']}")
        body = {"ranges": [[message["seq"], message["seq"]]]}
        bob.refused(403, "permission_denied", "POST", f"/rooms/{room}/messages/delete", json=body)
    carol.expect(204, "POST", f"/rooms/{room}/leave")
    for message in (by_bob, by_carol):
        bob.expect(200, "DELETE", f"/messages/{message['id']}")


def test_ranges_are_deleted_in_one_event(alice: Person, bob: Person) -> None:
    room = alice.create_room(bob)["id"]
    said = [bob.send(room, f"secret {number}") for number in range(8)]
    path = f"/rooms/{room}/messages"
    bob.expect(200, "DELETE", f"/messages/{said[1]['id']}")
    ranges = [[1, 5], [5, 6], [9, 9], [9, 9]]

    answer = alice.expect(200, "POST", f"{path}/delete", json={"ranges": ranges})

    assert answer == {"seq": 12, "count": 4}
    event = alice.events(room)[-1]
    assert (event["type"], event["seq"], event["actor_id"]) == ("messages.deleted", 12, alice.id)
    assert event["data"] == {"ranges": ranges, "count": 4}
    at = event["at"]
    buried = {3: (12, at), 5: (12, at), 6: (12, at), 9: (12, at)}
    items = {message["seq"]: message for message in bob.get(path)["items"]}
    assert buried.keys() | {4} == {seq for seq in items if items[seq]["text"] is None}
    for message in said:
        if message["seq"] in buried:
            assert items[message["seq"]] == tombstone(message, *buried[message["seq"]])
    assert items[4]["changed_seq"] == 11
    nothing = alice.expect(200, "POST", f"{path}/delete", json={"ranges": ranges})
    assert nothing == {"seq": None, "count": 0}
    assert alice.get(path)["head"] == 12


@one_world
@pytest.mark.parametrize(
    ("ranges", "pointer"),
    [
        ([], "/ranges"),
        ([[2, 3]] * 101, "/ranges"),
        ([[2, 3], [3, 2]], "/ranges/1"),
        ([[0, 3]], "/ranges/0/0"),
        ([[1]], "/ranges/0"),
        ([[1, 2**53]], ""),
    ],
)
def test_ranges_that_make_no_sense_are_refused(
    alice: Person, ranges: list[list[int]], pointer: str
) -> None:
    room = alice.create_room()["id"]
    path = f"/rooms/{room}/messages/delete"
    problem = alice.refused(400, "invalid_request", "POST", path, json={"ranges": ranges})
    assert problem["errors"][0]["pointer"] == pointer


@one_world
async def test_a_thousand_messages_are_deleted_at_once_and_no_more(
    alice: Person, bob: Person
) -> None:
    room = alice.create_room(bob)["id"]
    await bob.talk(room, 1_001)
    path = f"/rooms/{room}/messages"
    everything, all_but_one = {"ranges": [[1, 9999]]}, {"ranges": [[1, 500], [502, 9999]]}
    bob.refused(403, "permission_denied", "POST", f"{path}/delete", json=all_but_one)
    problem = alice.refused(400, "invalid_request", "POST", f"{path}/delete", json=everything)
    assert problem["errors"][0]["pointer"] == "/ranges"
    answer = alice.expect(200, "POST", f"{path}/delete", json=all_but_one)
    assert answer == {"seq": 1004, "count": 1000}
    left = [message for message in bob.get(f"{path}?around=501")["items"] if message["text"]]
    assert [message["seq"] for message in left] == [501]
