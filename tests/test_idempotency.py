"""``Idempotency-Key``: a POST that is sent again gets the first answer again."""

import contextlib
import itertools
import signal
import uuid
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

import httpx
import pytest

from tests.clients import Person, at_once, until
from tests.locks import held_until_all_wait, wait_for_locks
from tests.record import change, in_seconds
from tests.servers import World

ROOM = {"name": "room", "kind": "private"}
KILLED, SENDERS, POSTED = 3, 4, 40  # times; at once; before it is killed


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


def test_no_body_is_an_empty_one(alice: Person) -> None:
    path = f"/rooms/{alice.create_room()['id']}/invites"
    headers = {"Idempotency-Key": "k"}
    first = alice.expect(201, "POST", path, headers=headers)
    assert alice.expect(201, "POST", path, headers=headers, json={}) == first


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


def test_a_server_that_is_killed_has_done_all_or_nothing(alone: World) -> None:
    """A key that is kept apart from what was done fails: killed in between, it is done twice."""
    alice = Person.register(alone.server.url, "alice")
    for generation in range(KILLED):
        server = alone.servers[-1]
        keys: list[str] = []
        with ThreadPoolExecutor(SENDERS) as senders:
            posting = [
                senders.submit(keep_posting, alice.at(server.url), f"{generation}-{number}", keys)
                for number in range(SENDERS)
            ]
            until(lambda: len(keys) > POSTED)  # noqa: B023  it is called at once
            server.stop(signal.SIGKILL)
        assert [done.exception() for done in posting] == [None] * SENDERS
        person = alice.at(alone.start().url)
        assert {post(person, key, ROOM | {"name": key}).status_code for key in keys} == {201}
        names = [name for name in room_names(person) if name.startswith(f"{generation}-")]
        assert sorted(names) == sorted(keys)


def keep_posting(person: Person, name: str, keys: list[str]) -> None:
    """Make one room after the other, each with a key, until the server is gone."""
    with contextlib.suppress(httpx.TransportError):
        for number in itertools.count():
            key = f"{name}-{number}"
            keys.append(key)
            assert post(person, key, ROOM | {"name": key}).status_code == 201


def room_names(person: Person) -> list[str]:
    """Return the names of all rooms, page by page."""
    names: list[str] = []
    cursor: dict[str, str] = {}
    while True:
        page = person.get("/rooms", params={"limit": "200", **cursor})
        names += [room["name"] for room in page["items"]]
        if page["next_cursor"] is None:
            return names
        cursor = {"cursor": page["next_cursor"]}


def test_what_comes_while_the_first_is_under_way_is_told_so(clustered: World) -> None:
    """On PostgreSQL; on SQLite writers wait for each other, and so for the answer."""
    alice = Person.register(clustered.server.url, "alice")
    room = alice.create_room()["id"]
    path = f"/rooms/{room}/invites"
    with ThreadPoolExecutor(1) as thread, held_until_all_wait(clustered, room) as watcher:
        first = thread.submit(post, alice, "k", {}, path)
        wait_for_locks(watcher, 1)
        second = post(alice.at(clustered.other.url), "k", {}, path)
    assert (second.status_code, second.json()["code"]) == (409, "conflict")
    assert second.json()["retryable"] is True
    assert first.result().status_code == 201
    assert post(alice, "k", {}, path).json() == first.result().json()


def test_the_same_key_may_be_refused_many_times_at_once(world: World, alice: Person) -> None:
    """A key that is held while a request is under way, and looked up after, was a 500."""
    for number in range(20):
        refused = partial(post, alice, f"k{number}", ROOM | {"name": " "})
        assert {found.status_code for found in at_once(*[refused] * 6)} <= {400, 409}
        assert post(alice, f"k{number}").status_code == 201


def test_message_is_known_again_by_its_own_key_not_by_the_header(alice: Person) -> None:
    room = alice.create_room()["id"]
    headers = {"Idempotency-Key": "k"}
    sent = [
        alice.expect(201, "POST", f"/rooms/{room}/messages", json={"text": "hi"}, headers=headers)
        for _ in range(2)
    ]
    assert sent[0]["id"] != sent[1]["id"]
