"""Public rooms where one asks to be let in: asked once, decided by moderators.

Naive forms that would fail: letting in who is not waiting; a request that comes up again when
one has been in the room and left it; two approvals at once that make two members.
"""

from typing import Any

import pytest

from tests.clients import Person, at_once
from tests.servers import one_world


def ask(person: Person, room: str, text: str = "") -> tuple[int, Any]:
    """Ask to be let in; return status and answer."""
    found = person.call("POST", f"/rooms/{room}/requests", json={"text": text})
    return found.status_code, found.json()


def asking(person: Person, room: str) -> list[str]:
    """Return who asks."""
    items = person.get(f"/rooms/{room}/requests")["items"]
    return [item["user"]["id"] for item in items]


@pytest.fixture
def room(alice: Person) -> str:
    """A public room where one has to ask."""
    made: str = alice.create_room(kind="public", join="request")["id"]
    return made


def test_who_asks_is_let_in_by_a_moderator(alice: Person, bob: Person, room: str) -> None:
    bob.refused(403, "permission_denied", "POST", f"/rooms/{room}/join")
    status, asked = ask(bob, room, "It is me.")
    assert status == 201
    user = asked["user"]
    assert asked == {
        "room_id": room,
        "user": user,
        "text": "It is me.",
        "created_at": asked["created_at"],
    }
    assert (user["id"], user["display_name"]) == (bob.id, "Bob")
    asked["text"] = "Please!"
    assert ask(bob, room, "Please!") == (200, asked), "one is enough, with the last words"
    assert alice.get(f"/rooms/{room}/requests") == {"items": [asked], "next_cursor": None}

    path = f"/rooms/{room}/requests/{bob.id}"
    member = alice.expect(200, "PUT", path)
    assert member == alice.get(f"/rooms/{room}/members")["items"][1]
    assert alice.expect(200, "PUT", path) == member, "and once more changes nothing"
    joined = [event for event in alice.events(room) if event["type"] == "member.joined"]
    assert (joined[1]["actor_id"], joined[1]["data"]) == (alice.id, member)
    assert len(joined) == 2
    assert asking(alice, room) == []
    assert bob.get(f"/rooms/{room}")["my_role"] == "member"


def test_refused_or_withdrawn_it_is_gone_and_may_be_asked_again(
    alice: Person, bob: Person, carol: Person, room: str
) -> None:
    for person in (bob, carol):
        ask(person, room)
    assert asking(alice, room) == [bob.id, carol.id]
    page = alice.get(f"/rooms/{room}/requests", params={"limit": 1})
    after = {"limit": 1, "cursor": page["next_cursor"]}
    rest = alice.get(f"/rooms/{room}/requests", params=after)
    assert [item["user"]["id"] for item in page["items"] + rest["items"]] == [bob.id, carol.id]
    for _ in range(2):
        alice.expect(204, "DELETE", f"/rooms/{room}/requests/{bob.id}")
        carol.expect(204, "DELETE", f"/rooms/{room}/requests/{carol.id}")
    assert asking(alice, room) == []
    bob.refused(403, "permission_denied", "GET", f"/rooms/{room}/messages")
    alice.refused(404, "not_found", "PUT", f"/rooms/{room}/requests/{bob.id}")
    assert ask(bob, room)[0] == 201


def test_a_moderator_is_not_told_by_whom_they_have_blocked_and_may_let_them_in_all_the_same(
    alice: Person, bob: Person, carol: Person, room: str
) -> None:
    alice.expect(201, "PUT", f"/rooms/{room}/members/{carol.id}", json={"role": "moderator"})
    alice.expect(201, "PUT", f"/blocks/{bob.id}")
    assert ask(bob, room)[0] == 201
    (told,) = carol.get("/notifications")["items"]
    assert (told["kind"], told["data"]) == ("join_request", {"user_id": bob.id})
    assert alice.get("/notifications")["items"] == []
    assert asking(alice, room) == [bob.id]


def test_nobody_decides_for_others_without_being_a_moderator(
    alice: Person, bob: Person, carol: Person, room: str
) -> None:
    ask(carol, room)
    path = f"/rooms/{room}/requests/{carol.id}"
    for method in ("PUT", "DELETE"):
        bob.refused(403, "permission_denied", method, path)
    carol.refused(403, "permission_denied", "PUT", path)
    assert asking(alice, room) == [carol.id]


def test_who_came_in_another_way_asks_no_more(alice: Person, bob: Person, room: str) -> None:
    ask(bob, room)
    alice.expect(201, "PUT", f"/rooms/{room}/members/{bob.id}", json={})
    assert asking(alice, room) == []
    bob.expect(204, "POST", f"/rooms/{room}/leave")
    assert asking(alice, room) == []
    assert ask(bob, room)[0] == 201


def test_two_at_once_let_in_one(alice: Person, bob: Person, room: str) -> None:
    asked = at_once(lambda: ask(bob, room), lambda: ask(bob, room), lambda: ask(bob, room))
    assert sorted(status for status, _ in asked) == [200, 200, 201]
    path = f"/rooms/{room}/requests/{bob.id}"
    at_once(*[lambda: alice.expect(200, "PUT", path)] * 3)
    joined = [event for event in alice.events(room) if event["type"] == "member.joined"]
    assert len(joined) == 2


@one_world
def test_where_nobody_needs_to_ask_nobody_may(alice: Person, bob: Person) -> None:
    open_room, private = alice.create_room(kind="public")["id"], alice.create_room()["id"]
    bob.refused(409, "conflict", "POST", f"/rooms/{open_room}/requests", json={})
    bob.refused(404, "not_found", "POST", f"/rooms/{private}/requests", json={})
    bob.refused(404, "not_found", "DELETE", f"/rooms/{private}/requests/{bob.id}")


@one_world
def test_an_archived_room_takes_nobody_and_a_long_text_is_refused(
    alice: Person, bob: Person, carol: Person, room: str
) -> None:
    problem = bob.refused(
        400, "invalid_request", "POST", f"/rooms/{room}/requests", json={"text": "x" * 501}
    )
    assert problem["errors"][0]["pointer"] == "/text"
    ask(carol, room)
    alice.expect(200, "PATCH", f"/rooms/{room}", json={"archived": True})
    bob.refused(409, "room_archived", "POST", f"/rooms/{room}/requests", json={})
    alice.refused(409, "room_archived", "PUT", f"/rooms/{room}/requests/{carol.id}")
    alice.expect(204, "DELETE", f"/rooms/{room}/requests/{carol.id}")


@one_world
def test_rooms_where_one_asks_are_found(alice: Person, bob: Person) -> None:
    made = alice.create_room(kind="public", join="request", name=f"club of {alice.id}")
    (found,) = bob.get("/rooms", params={"scope": "public", "q": alice.id})["items"]
    assert (found["id"], found["join"]) == (made["id"], "request")


def test_moderators_are_told_once(alice: Person, bob: Person, carol: Person, room: str) -> None:
    path = f"/rooms/{room}/members/{carol.id}"
    alice.expect(201, "PUT", path, json={"role": "moderator"})
    for _ in range(2):
        ask(bob, room, "It is me.")
    for person in (alice, carol):
        (told,) = person.get("/notifications")["items"]
        assert (told["kind"], told["room_id"]) == ("join_request", room)
        assert (told["text"], told["data"]) == (
            "Somebody asks to be let into room.",
            {"user_id": bob.id},
        )
    assert bob.get("/notifications")["items"] == []


def test_who_is_banned_does_not_ask(alice: Person, bob: Person, room: str) -> None:
    alice.call("PUT", f"/rooms/{room}/bans/{bob.id}", json={})
    bob.refused(403, "permission_denied", "POST", f"/rooms/{room}/requests", json={})
    assert asking(alice, room) == []


def test_who_asks_again_and_again_is_told_once_until_it_is_read(
    alice: Person, bob: Person, room: str
) -> None:
    def ask_and_withdraw() -> None:
        assert ask(bob, room)[0] == 201
        bob.expect(204, "DELETE", f"/rooms/{room}/requests/{bob.id}")

    for _ in range(3):
        ask_and_withdraw()
    (told,) = alice.get("/notifications")["items"]
    assert (told["kind"], told["data"]) == ("join_request", {"user_id": bob.id})
    alice.expect(200, "POST", "/notifications/read", json={"ids": [told["id"]]})
    for _ in range(2):
        ask_and_withdraw()
    assert len(alice.get("/notifications")["items"]) == 2
