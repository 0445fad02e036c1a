"""Invitations: links with uses and an end, and one for one person.

Naive forms that would fail: counting uses without a lock; a use for who is in already; a code
that still works when it was revoked, or for somebody else than it was made for.
"""

import uuid
from typing import Any

import pytest

from tests.clients import Person, at_once
from tests.record import change, in_seconds
from tests.servers import World, one_world


def invite(person: Person, room: str, **terms: Any) -> Any:
    """Make an invitation."""
    return person.expect(201, "POST", f"/rooms/{room}/invites", json=terms)


def accept(person: Person, code: str) -> tuple[int, Any]:
    """Try to take an invitation up; return status and answer."""
    found = person.call("POST", f"/invites/{code}/accept")
    return found.status_code, found.json()


def test_a_link_lets_in_whoever_has_it(alice: Person, bob: Person, carol: Person) -> None:
    room = alice.create_room()["id"]
    made = invite(alice, room)
    assert made == {
        "code": made["code"],
        "room_id": room,
        "creator": alice.get(f"/rooms/{room}/members")["items"][0]["user"],
        "user": None,
        "uses": 0,
        "max_uses": None,
        "created_at": made["created_at"],
        "expires_at": None,
    }
    assert len(made["code"]) >= 22
    bob.refused(404, "not_found", "GET", f"/rooms/{room}")
    status, seen = accept(bob, made["code"])
    assert status == 200
    assert seen == bob.get(f"/rooms/{room}")
    assert (seen["my_role"], seen["member_count"]) == ("member", 2)
    (event,) = [e for e in alice.events(room) if e["type"] == "member.joined"][1:]
    assert (event["actor_id"], event["data"]["user"]["id"]) == (bob.id, bob.id)
    assert accept(carol, made["code"])[0] == 200
    assert alice.get(f"/rooms/{room}/invites/{made['code']}") == made | {"uses": 2}


def test_who_is_in_already_uses_nothing_up(alice: Person, bob: Person) -> None:
    room = alice.create_room(bob)["id"]
    code = invite(alice, room, max_uses=1)["code"]
    head = alice.get(f"/rooms/{room}")["last_seq"]
    assert [accept(person, code)[0] for person in (alice, bob, bob)] == [200] * 3
    assert alice.get(f"/rooms/{room}/invites/{code}")["uses"] == 0
    assert alice.get(f"/rooms/{room}")["last_seq"] == head


def test_who_has_not_heard_that_they_are_in_accepts_again(
    alice: Person, bob: Person, carol: Person, world: World
) -> None:
    room = alice.create_room()["id"]
    codes = [
        invite(alice, room, **terms)["code"] for terms in ({"max_uses": 1}, {"user_id": bob.id})
    ]
    assert [accept(bob, code)[0] for code in (codes[0], *codes, codes[0])] == [200] * 4
    assert accept(carol, codes[0])[0] == 404
    assert world.manage("upkeep").returncode == 0
    assert accept(bob, codes[0])[0] == 200
    days_ago = in_seconds(-86_400)
    change(world, "UPDATE api_invite SET used_at = %s WHERE code = %s", days_ago, codes[0])
    assert world.manage("upkeep").returncode == 0  # it forgets what was used up long ago
    assert [accept(bob, code)[0] for code in codes] == [404, 200]


def test_an_invitation_is_as_good_as_the_right_of_who_made_it(
    alice: Person, bob: Person, carol: Person, world: World
) -> None:
    """Naive form: who is put out of a private room comes back by a link of their own."""
    room = alice.create_room(bob)["id"]
    theirs = f"/rooms/{room}/members/{bob.id}"
    alice.expect(200, "PATCH", theirs, json={"role": "moderator"})
    codes = [invite(bob, room, **terms)["code"] for terms in ({}, {"user_id": carol.id})]
    alice.expect(200, "PATCH", theirs, json={"role": "member"})
    assert [accept(carol, code)[0] for code in codes] == [404, 404]
    alice.expect(200, "PATCH", theirs, json={"role": "moderator"})
    assert world.manage("disable_user", bob.name).returncode == 0
    assert accept(carol, codes[0])[0] == 404
    assert world.manage("enable_user", bob.name).returncode == 0
    alice.expect(204, "DELETE", theirs)
    assert [accept(carol, code)[0] for code in codes] == [404, 404]
    found = [item["code"] for item in alice.get(f"/rooms/{room}/invites")["items"]]
    assert found == codes[::-1], "they would be good again when bob comes back"
    for code in codes:
        alice.expect(204, "DELETE", f"/rooms/{room}/invites/{code}")
    alice.expect(201, "PUT", theirs, json={"role": "moderator"})
    assert accept(carol, codes[0])[0] == 404
    assert accept(carol, invite(alice, room, user_id=carol.id)["code"])[0] == 200


def test_what_members_gave_out_ends_when_one_has_to_ask(
    alice: Person, bob: Person, carol: Person
) -> None:
    room = alice.create_room(bob, kind="public")["id"]
    by_member, by_owner = invite(bob, room)["code"], invite(alice, room)["code"]
    alice.expect(200, "PATCH", f"/rooms/{room}", json={"join": "request"})
    assert [accept(carol, code)[0] for code in (by_member, by_owner)] == [404, 200]


def test_of_many_at_once_as_many_get_in_as_may(world: World, alice: Person) -> None:
    room = alice.create_room()["id"]
    code = invite(alice, room, max_uses=3)["code"]
    crowd = [Person.register(server.url, "guest") for server in (world.server, world.other) * 4]
    answers = at_once(*[lambda guest=guest: accept(guest, code) for guest in crowd])
    assert sorted(status for status, _ in answers) == [200] * 3 + [404] * 5
    assert {problem["code"] for status, problem in answers if status == 404} == {"not_found"}
    assert alice.get(f"/rooms/{room}")["member_count"] == 4
    assert alice.get(f"/rooms/{room}/invites")["items"] == []


def test_what_has_ended_or_was_revoked_lets_nobody_in(
    alice: Person, bob: Person, world: World
) -> None:
    room = alice.create_room()["id"]
    ended, revoked = invite(alice, room, expires_in=60)["code"], invite(alice, room)["code"]
    change(world, "UPDATE api_invite SET expires_at = %s WHERE code = %s", in_seconds(-1), ended)
    for _ in range(2):
        alice.expect(204, "DELETE", f"/rooms/{room}/invites/{revoked}")
    for code in (ended, revoked, "A" * 22, "%00", "ä"):
        assert accept(bob, code)[0] == 404
    for code in (ended, revoked):
        alice.refused(404, "not_found", "GET", f"/rooms/{room}/invites/{code}")
    assert alice.get(f"/rooms/{room}/invites")["items"] == []
    assert world.manage("upkeep").returncode == 0


def test_an_invitation_of_one_person_is_theirs_alone(
    alice: Person, bob: Person, carol: Person
) -> None:
    room = alice.create_room()["id"]
    made = invite(alice, room, user_id=bob.id)
    assert (made["user"]["id"], made["max_uses"]) == (bob.id, 1)
    again = {"json": {"user_id": bob.id, "expires_in": 60}}
    assert alice.expect(200, "POST", f"/rooms/{room}/invites", **again) == made, "one is enough"
    assert accept(carol, made["code"])[0] == 404
    assert accept(bob, made["code"])[0] == 200
    body = {"user_id": bob.id}
    alice.refused(409, "conflict", "POST", f"/rooms/{room}/invites", json=body)
    body = {"user_id": str(uuid.uuid4())}
    problem = alice.refused(400, "invalid_request", "POST", f"/rooms/{room}/invites", json=body)
    assert problem["errors"][0]["pointer"] == "/user_id"


def test_a_member_sees_and_ends_their_own_alone(alice: Person, bob: Person) -> None:
    room = alice.create_room(bob, kind="public")["id"]
    theirs, own = invite(alice, room), invite(bob, room)
    path = f"/rooms/{room}/invites"
    assert [item["code"] for item in bob.get(path)["items"]] == [own["code"]]
    found = [item["code"] for item in alice.get(path)["items"]]
    assert found == [own["code"], theirs["code"]], "the newest first"
    bob.refused(404, "not_found", "DELETE", f"{path}/{theirs['code']}")
    bob.expect(204, "DELETE", f"{path}/{own['code']}")
    page = alice.get(path, params={"limit": 1})
    assert ([item["code"] for item in page["items"]], page["next_cursor"]) == (
        [theirs["code"]],
        None,
    )
    alice.expect(200, "PATCH", f"/rooms/{room}", json={"join": "request"})
    bob.refused(403, "permission_denied", "POST", path, json={})


@one_world
def test_pages_of_invitations_have_no_holes(alice: Person) -> None:
    room = alice.create_room()["id"]
    made = [invite(alice, room)["code"] for _ in range(5)]
    seen: list[str] = []
    cursor: dict[str, Any] = {}
    while True:
        page = alice.get(f"/rooms/{room}/invites", params={"limit": 2} | cursor)
        seen += [item["code"] for item in page["items"]]
        if page["next_cursor"] is None:
            break
        cursor = {"cursor": page["next_cursor"]}
    assert seen == made[::-1]


@one_world
def test_archived_deleted_and_direct_rooms_take_nobody(
    alice: Person, bob: Person, carol: Person
) -> None:
    room = alice.create_room()["id"]
    code = invite(alice, room)["code"]
    alice.expect(200, "PATCH", f"/rooms/{room}", json={"archived": True})
    bob.refused(409, "room_archived", "POST", f"/invites/{code}/accept")
    alice.refused(409, "room_archived", "POST", f"/rooms/{room}/invites", json={})
    alice.expect(204, "DELETE", f"/rooms/{room}")
    bob.refused(404, "not_found", "POST", f"/invites/{code}/accept")
    direct = alice.expect(201, "POST", "/rooms/direct", json={"user_ids": [bob.id]})["id"]
    alice.refused(403, "permission_denied", "POST", f"/rooms/{direct}/invites", json={})


@one_world
@pytest.mark.parametrize(
    ("terms", "pointer"),
    [
        ({"max_uses": 0}, "/max_uses"),
        ({"max_uses": "1"}, "/max_uses"),
        ({"expires_in": 0}, "/expires_in"),
        ({"expires_in": 10**12}, "/expires_in"),
        ({"user_id": "bob"}, "/user_id"),
        ({"uses": 1}, "/uses"),
    ],
)
def test_bad_terms_are_refused(alice: Person, terms: dict[str, Any], pointer: str) -> None:
    room = alice.create_room()["id"]
    problem = alice.refused(400, "invalid_request", "POST", f"/rooms/{room}/invites", json=terms)
    assert problem["errors"][0]["pointer"] == pointer
    assert alice.get(f"/rooms/{room}/invites")["items"] == []


@one_world
def test_a_repeated_request_makes_one(alice: Person) -> None:
    room = alice.create_room()["id"]
    again = {"headers": {"Idempotency-Key": "k"}, "json": {}}
    first, second = (alice.expect(201, "POST", f"/rooms/{room}/invites", **again) for _ in range(2))
    assert first == second
    assert len(alice.get(f"/rooms/{room}/invites")["items"]) == 1


def notices(person: Person) -> list[Any]:
    """Return what somebody has been told, without what is different each time."""
    items = person.get("/notifications")["items"]
    return [(item["kind"], item["text"], item["data"], item["room_id"]) for item in items]


def test_who_is_invited_is_told_the_code_unless_they_block_whoever_invites(
    alice: Person, bob: Person, carol: Person
) -> None:
    room = alice.create_room(name="den")["id"]
    code = invite(alice, room, user_id=bob.id)["code"]
    alice.expect(200, "POST", f"/rooms/{room}/invites", json={"user_id": bob.id})
    invite(alice, room)
    assert notices(bob) == [("invitation", "You are invited to den.", {"code": code}, room)]
    assert bob.events(bob.id)[-1]["type"] == "notification.created"
    assert accept(bob, code)[0] == 200
    carol.call("PUT", f"/blocks/{alice.id}")
    made = invite(alice, room, user_id=carol.id)
    assert notices(carol) == []
    assert accept(carol, made["code"])[0] == 200


def test_who_is_invited_again_and_again_is_told_once_until_they_have_read_it(
    alice: Person, bob: Person
) -> None:
    room = alice.create_room()["id"]
    for _ in range(3):
        code = invite(alice, room, user_id=bob.id)["code"]
        alice.expect(204, "DELETE", f"/rooms/{room}/invites/{code}")
    (told,) = bob.get("/notifications")["items"]
    bob.expect(200, "POST", "/notifications/read", json={"ids": [told["id"]]})
    invite(alice, room, user_id=bob.id)
    assert len(notices(bob)) == 2
    assert accept(bob, told["data"]["code"])[0] == 200, "the first notice leads in as well"


def test_who_is_banned_is_not_let_in(alice: Person, bob: Person) -> None:
    private, public = alice.create_room()["id"], alice.create_room(kind="public")["id"]
    for room, status in ((private, 404), (public, 403)):
        alice.call("PUT", f"/rooms/{room}/bans/{bob.id}", json={})
        code = invite(alice, room, max_uses=1)["code"]
        assert accept(bob, code)[0] == status
        assert alice.get(f"/rooms/{room}/invites/{code}")["uses"] == 0


def test_who_is_banned_is_not_invited(alice: Person, bob: Person) -> None:
    room = alice.create_room()["id"]
    path = f"/rooms/{room}/bans/{bob.id}"
    alice.expect(201, "PUT", path)
    body = {"user_id": bob.id}
    alice.refused(403, "permission_denied", "POST", f"/rooms/{room}/invites", json=body)
    assert bob.get("/notifications")["items"] == []
    alice.expect(204, "DELETE", path)
    assert accept(bob, invite(alice, room, **body)["code"])[0] == 200


def test_who_is_banned_leaves_no_way_in_behind(alice: Person, bob: Person, carol: Person) -> None:
    room = alice.create_room(bob, kind="public")["id"]
    codes = [invite(bob, room)["code"], invite(alice, room, user_id=carol.id)["code"]]
    kept = invite(alice, room)["code"]
    alice.expect(200, "PATCH", f"/rooms/{room}", json={"join": "request"})
    carol.expect(201, "POST", f"/rooms/{room}/requests", json={})
    for person in (bob, carol):
        alice.expect(201, "PUT", f"/rooms/{room}/bans/{person.id}")
    assert [item["code"] for item in alice.get(f"/rooms/{room}/invites")["items"]] == [kept]
    assert alice.get(f"/rooms/{room}/requests")["items"] == []
    for person in (bob, carol):
        alice.expect(204, "DELETE", f"/rooms/{room}/bans/{person.id}")
    assert [accept(carol, code)[0] for code in (*codes, kept)] == [404, 404, 200]


@one_world
def test_who_is_no_moderator_makes_a_few_and_leaves_room_for_others(
    alice: Person, bob: Person, carol: Person
) -> None:
    room = alice.create_room(bob, carol, kind="public")["id"]
    made = [invite(bob, room)["code"] for _ in range(20)]
    bob.refused(409, "limit_reached", "POST", f"/rooms/{room}/invites", json={})
    for person in (alice, carol):
        invite(person, room)
    bob.expect(204, "DELETE", f"/rooms/{room}/invites/{made[0]}")
    invite(bob, room)
