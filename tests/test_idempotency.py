"""``Idempotency-Key``: a POST that is sent again gets the first answer again."""

import uuid
from typing import Any

import httpx
import pytest

from tests.clients import Person, at_once
from tests.record import change, in_seconds
from tests.servers import World

ROOM = {"name": "room", "kind": "private"}


def post(person: Person, key: str, body: Any = ROOM, path: str = "/rooms") -> httpx.Response:
    return person.call("POST", path, json=body, headers={"Idempotency-Key": key})


def rooms_of(person: Person) -> list[str]:
    return [room["id"] for room in person.get("/rooms")["items"]]


def test_repeated_room_is_the_first_room(alice: Person, world: World) -> None:
    body = ROOM | {"topic": "🦉", "metadata": {"n": 1.5, "deep": [[{}]]}}
    first = post(alice, "the key", body)
    again = post(alice.at(world.other.url), "the key", body)
    assert (first.status_code, again.status_code) == (201, 201)
    assert again.json() == first.json()
    assert "Idempotent-Replayed" not in first.headers
    assert again.headers["Idempotent-Replayed"] == "true"
    assert rooms_of(alice) == [first.json()["id"]]


def test_answer_stays_the_first_one_though_the_room_has_changed(alice: Person) -> None:
    first = post(alice, "k").json()
    alice.expect(200, "PATCH", f"/rooms/{first['id']}", json={"name": "renamed"})
    assert post(alice, "k").json() == first
    alice.expect(204, "DELETE", f"/rooms/{first['id']}")
    assert (post(alice, "k").status_code, post(alice, "k").json()) == (201, first)
    assert rooms_of(alice) == []


def test_repeated_direct_room_keeps_its_first_status(alice: Person, bob: Person) -> None:
    body = {"user_ids": [bob.id]}
    first = post(alice, "k", body, "/rooms/direct")
    again = post(alice, "k", body, "/rooms/direct")
    anew = post(alice, "another", body, "/rooms/direct")
    assert [answer.status_code for answer in (first, again, anew)] == [201, 201, 200]
    assert again.json() == first.json()
    assert [answer.headers.get("Idempotent-Replayed") for answer in (again, anew)] == ["true", None]
    assert rooms_of(alice) == rooms_of(bob) == [first.json()["id"]]


@pytest.mark.parametrize("other", [{**ROOM, "topic": "x"}, {**ROOM, "name": "other"}, {}, []])
def test_key_with_another_body_is_a_conflict(alice: Person, other: Any) -> None:
    first = post(alice, "k").json()
    response = post(alice, "k", other)
    assert (response.status_code, response.json()["code"]) == (409, "idempotency_conflict")
    assert response.json()["retryable"] is False
    assert rooms_of(alice) == [first["id"]]


def test_key_belongs_to_one_person_and_one_path(alice: Person, bob: Person) -> None:
    made = [post(alice, "k"), post(bob, "k"), post(alice, "K")]
    direct = post(alice, "k", {"user_ids": [bob.id]}, "/rooms/direct")
    assert [answer.status_code for answer in [*made, direct]] == [201] * 4
    assert not any("Idempotent-Replayed" in answer.headers for answer in [*made, direct])
    assert len(rooms_of(alice)) == 3, "two of her own and the direct one"


def test_refusal_is_not_kept(alice: Person) -> None:
    blank = post(alice, "k", ROOM | {"name": " "})
    assert (blank.status_code, blank.json()["code"]) == (400, "invalid_request")
    malformed = alice.call("POST", "/rooms", content=b"{", headers={"Idempotency-Key": "k"})
    assert (malformed.status_code, malformed.json()["code"]) == (400, "malformed_json")
    made = post(alice, "k")
    assert made.status_code == 201
    assert rooms_of(alice) == [made.json()["id"]]


@pytest.mark.parametrize("key", ["", "x" * 256, "täg", "tab\there"])
def test_key_that_is_no_short_printable_ascii_is_refused(embedded: World, key: str) -> None:
    dora = Person.register(embedded.server.url, "dora")
    headers = {b"Idempotency-Key": key.encode()}
    response = dora.call("POST", "/rooms", json=ROOM, headers=headers)
    assert (response.status_code, response.json()["code"]) == (400, "invalid_request")
    assert rooms_of(dora) == []
    assert post(dora, "x" * 255).status_code == 201


def test_parallel_copies_make_one_room(world: World, alice: Person) -> None:
    doors = [alice, alice.at(world.other.url)] * 5
    answers = at_once(*(lambda door=door: post(door, "k") for door in doors))
    (room,) = {answer.json()["id"] for answer in answers if answer.status_code == 201}
    first = [answer for answer in answers if "Idempotent-Replayed" not in answer.headers]
    running = [answer.json() for answer in answers if answer.status_code != 201]
    assert len(first) - len(running) == 1
    assert all((found["code"], found["retryable"]) == ("conflict", True) for found in running)
    assert rooms_of(alice) == [room]
    assert post(alice, "k").json()["id"] == room


def test_key_is_forgotten_after_a_day_and_not_before(world: World, alice: Person) -> None:
    statement = "UPDATE api_idempotencykey SET created_at = %s WHERE user_id = %s"
    first = post(alice, "k").json()
    change(world, statement, in_seconds(-24 * 3600 + 60), uuid.UUID(alice.id))
    assert post(alice, "k").json() == first
    change(world, statement, in_seconds(-24 * 3600 - 1), uuid.UUID(alice.id))
    assert post(alice, "k").json()["id"] != first["id"]
    assert len(rooms_of(alice)) == 2


def test_first_copy_that_died_holds_the_key_for_a_minute(world: World, alice: Person) -> None:
    first = post(alice, "k").json()
    unanswered = "UPDATE api_idempotencykey SET status = NULL, body = NULL, created_at = %s"
    change(world, unanswered + " WHERE user_id = %s", in_seconds(-30), uuid.UUID(alice.id))
    held = post(alice, "k")
    assert (held.status_code, held.json()["code"]) == (409, "conflict")
    assert held.json()["retryable"] is True
    change(world, unanswered + " WHERE user_id = %s", in_seconds(-61), uuid.UUID(alice.id))
    assert post(alice, "k").json()["id"] != first["id"]


def test_message_is_known_again_by_its_own_key_not_by_the_header(alice: Person) -> None:
    room = alice.create_room()["id"]
    headers = {"Idempotency-Key": "k"}
    sent = [
        alice.expect(201, "POST", f"/rooms/{room}/messages", json={"text": "hi"}, headers=headers)
        for _ in range(2)
    ]
    assert sent[0]["id"] != sent[1]["id"]
