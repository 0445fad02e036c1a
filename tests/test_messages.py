"""Messages: what may be said, by whom and how fast, and that it is kept exactly as it was said."""

import json
import uuid
from typing import Any

import pytest

from tests.clients import Person, sender
from tests.servers import one_world

SAY: dict[str, Any] = {"json": {"text": "hello"}}


def test_a_sent_message_is_shown_whole_and_the_same_everywhere(alice: Person, bob: Person) -> None:
    room = alice.create_room(bob)["id"]
    asked = bob.send(room, "which?")
    told = {
        "text": "this one",
        "metadata": {"client": {"colour": [1, 2.5, None, "é"]}},
        "client_msg_id": "c-1",
        "reply_to_id": asked["id"],
    }

    said = alice.expect(201, "POST", f"/rooms/{room}/messages", json=told)

    assert said == told | {
        "id": said["id"],
        "room_id": room,
        "seq": 4,
        "changed_seq": 4,
        "sender": sender(alice.user),
        "thread_id": None,
        "thread": None,
        "attachments": [],
        "reactions": [],
        "mentions": [],
        "pinned": False,
        "created_at": said["created_at"],
        "edited_at": None,
        "deleted_at": None,
    }
    assert bob.get(f"/messages/{said['id']}") == said
    assert bob.get(f"/rooms/{room}/messages")["items"] == [asked, said]
    assert bob.get(f"/rooms/{room}")["last_message"] == said


@pytest.mark.parametrize(
    "text",
    [
        "  as it is \t\n",
        "line\r\nline\rline\n\n",
        "e\u0301 is not \u00e9",
        "👩‍👩‍👧‍👦 \U0001f1e8\U0001f1ed",
        "\u202eright to left\u202c \u200b\ufeff",
        '<b onclick="x">&amp;</b> {{ 7*7 }} %s \\u0041 \\ "',
        "\x01\x7f\ufffe\U0010ffff",
        "😀" * 10_000,
    ],
)
def test_text_is_kept_exactly_as_it_was_said(alice: Person, text: str) -> None:
    room = alice.create_room()["id"]
    said = alice.send(room, text)
    assert said["text"] == text
    assert alice.get(f"/messages/{said['id']}")["text"] == text
    (event,) = alice.events(room, after=1)
    assert event["data"]["text"] == text


@one_world
def test_the_longest_text_fits_also_when_it_is_written_in_escapes(alice: Person) -> None:
    room = alice.create_room()["id"]
    body = json.dumps({"text": "😀" * 10_000}, ensure_ascii=True)
    headers = {"Content-Type": "application/json"}
    path = f"/rooms/{room}/messages"
    said = alice.expect(201, "POST", path, content=body, headers=headers)
    assert said["text"] == "😀" * 10_000


@one_world
@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({}, "/text"),
        ({"text": ""}, "/text"),
        ({"text": " \t\r\n\u2003\u3000"}, "/text"),
        ({"text": "😀" * 10_001}, "/text"),
        ({"text": "x" * 10_001}, "/text"),
        ({"text": 7}, "/text"),
        ({"text": None}, "/text"),
        ({"text": "x", "client_msg_id": ""}, "/client_msg_id"),
        ({"text": "x", "client_msg_id": "c" * 65}, "/client_msg_id"),
        ({"text": "x", "reply_to_id": "x"}, "/reply_to_id"),
        ({"text": "x", "reply_to_id": str(uuid.UUID(int=1))}, "/reply_to_id"),
        ({"text": "x", "metadata": "x"}, "/metadata"),
        ({"text": "x", "pinned": True}, "/pinned"),
    ],
)
def test_a_message_that_makes_no_sense_is_refused_and_takes_no_number(
    alice: Person, body: dict[str, Any], pointer: str
) -> None:
    room = alice.create_room()["id"]
    path = f"/rooms/{room}/messages"
    problem = alice.refused(400, "invalid_request", "POST", path, json=body)
    assert problem["errors"][0]["pointer"] == pointer
    assert alice.get(path)["head"] == 1


@pytest.mark.parametrize(("size", "status"), [(4096, 201), (4097, 400)])
def test_metadata_is_limited_to_four_kibibytes(alice: Person, size: int, status: int) -> None:
    room = alice.create_room()["id"]
    metadata = {"big": "x" * (size - len('{"big":""}'))}
    assert len(json.dumps(metadata, separators=(",", ":"))) == size
    body = {"text": "x", "metadata": metadata}
    said = alice.expect(status, "POST", f"/rooms/{room}/messages", json=body)
    if status == 201:
        assert alice.get(f"/messages/{said['id']}")["metadata"] == metadata
    else:
        assert said["errors"][0]["pointer"] == "/metadata"


@one_world
def test_a_reply_answers_a_message_of_the_same_room_only(alice: Person, bob: Person) -> None:
    here, elsewhere, foreign = alice.create_room()["id"], alice.create_room()["id"], bob
    hidden = foreign.send(foreign.create_room()["id"])["id"]
    for other in (alice.send(elsewhere)["id"], hidden):
        body = {"text": "x", "reply_to_id": other}
        path = f"/rooms/{here}/messages"
        problem = alice.refused(400, "invalid_request", "POST", path, json=body)
        assert problem["errors"][0]["pointer"] == "/reply_to_id"
    gone = alice.send(here)["id"]
    alice.expect(200, "DELETE", f"/messages/{gone}")
    assert alice.send(here, reply_to_id=gone)["reply_to_id"] == gone


@one_world
def test_readers_read_only(alice: Person, bob: Person) -> None:
    room = alice.create_room(bob)["id"]
    said = bob.send(room)
    alice.expect(200, "PATCH", f"/rooms/{room}/members/{bob.id}", json={"role": "reader"})
    bob.refused(403, "permission_denied", "POST", f"/rooms/{room}/messages", **SAY)
    other = {"text": "other"}
    bob.refused(403, "permission_denied", "PATCH", f"/messages/{said['id']}", json=other)
    assert bob.get(f"/rooms/{room}/messages")["items"] == [said]


def test_slow_mode_makes_members_wait_and_moderators_not(
    alice: Person, bob: Person, carol: Person
) -> None:
    room = alice.create_room(bob, carol, kind="public")["id"]
    path = f"/rooms/{room}/messages"
    alice.expect(200, "PATCH", f"/rooms/{room}/members/{carol.id}", json={"role": "moderator"})
    carol.expect(200, "PATCH", f"/rooms/{room}", json={"slow_mode_seconds": 3600})
    for person in (bob, carol, carol, alice, alice):
        person.send(room)

    answer = bob.call("POST", path, json={"text": "too soon"})

    problem = answer.json()
    assert (answer.status_code, problem["code"], problem["retryable"]) == (429, "slow_mode", True)
    assert 3500 < problem["retry_after"] <= 3600
    assert answer.headers["Retry-After"] == str(problem["retry_after"])
    alice.expect(200, "PATCH", f"/rooms/{room}", json={"slow_mode_seconds": 0})
    bob.send(room)


@one_world
async def test_slow_mode_is_told_to_sockets_in_the_same_words(alice: Person, bob: Person) -> None:
    room = alice.create_room(bob)["id"]
    alice.expect(200, "PATCH", f"/rooms/{room}", json={"slow_mode_seconds": 3600})
    async with bob.socket() as his:
        await his.opened()
        await his.ok("message.send", room_id=room, text="first")
        error = await his.ask("message.send", room_id=room, text="second")
    assert (error["type"], error["code"], error["retryable"]) == ("error", "slow_mode", True)
    assert 3500 < error["retry_after"] <= 3600


def test_numbers_in_metadata_come_back_as_numbers_of_the_same_size(alice: Person) -> None:
    room = alice.create_room(metadata={"far": 1e300})
    metadata = {"far": 1e300, "near": 2**53 - 1, "part": 0.1, "deep": [{"n": -1e22}]}
    said = alice.send(room["id"], metadata=metadata)
    (read,) = alice.get(f"/rooms/{room['id']}/messages")["items"]
    assert read["metadata"] == said["metadata"] == metadata
    assert isinstance(read["metadata"]["far"], float)
    assert alice.get(f"/rooms/{room['id']}")["metadata"] == {"far": 1e300}
