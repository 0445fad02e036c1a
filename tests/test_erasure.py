"""Erasure: gone at once and everywhere, and what is left says nothing of the person.

Naive forms that would fail: deleting the row, and with it what others answered to; an event
for each message; a session or a socket that outlives its person; a room without an owner; an
erasure that a restart leaves half done.
"""

import contextlib
import sqlite3
import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

from tests.clients import PASSWORD, Person, at_once
from tests.record import change
from tests.servers import World, one_world

DELETE = {"password": PASSWORD}


def erase(person: Person) -> None:
    """Erase somebody who asks for it."""
    person.expect(204, "POST", "/me/delete", json=DELETE)


def nameless(person: Person) -> dict[str, Any]:
    """Return what is shown of somebody who was erased."""
    return {
        "id": person.id,
        "username": None,
        "display_name": None,
        "is_bot": False,
        "version": person.user["version"] + 1,
    }


def roles(room: str, viewer: Person) -> dict[str, str]:
    """Return who is in a room."""
    members = viewer.get(f"/rooms/{room}/members")["items"]
    return {member["user"]["id"]: member["role"] for member in members}


def test_it_takes_the_password(alice: Person) -> None:
    wrong = {"password": "guessed wrong"}
    alice.refused(401, "invalid_credentials", "POST", "/me/delete", json=wrong)
    alice.refused(400, "invalid_request", "POST", "/me/delete", json={})
    assert alice.get("/me") == alice.user


async def test_every_door_is_shut_at_once_and_the_name_is_free(alice: Person, world: World) -> None:
    other = alice.login("phone")
    async with other.at(world.other.url).socket() as socket:
        await socket.opened()
        erase(alice)
        bye, code = await socket.closed()
    assert (bye["reconnect"], code) == ("no", 4009)
    for person in (alice, other):
        person.refused(401, "session_revoked", "GET", "/me")
        body = {"refresh": person.tokens["refresh"]}
        person.refused(401, "session_revoked", "POST", "/auth/refresh", json=body)
    body = {"username": alice.name, "password": PASSWORD}
    nobody = Person(alice.url, {})
    nobody.refused(401, "invalid_credentials", "POST", "/auth/login", json=body)
    again = nobody.expect(201, "POST", "/auth/register", json=body)
    assert again["user"]["id"] != alice.id


async def test_what_they_said_are_tombstones_by_one_event(alice: Person, bob: Person) -> None:
    room = alice.create_room(bob)["id"]
    said = [alice.send(room, "mine"), bob.send(room, "1"), bob.send(room, "2")]
    said += [alice.send(room, "yours", reply_to_id=said[1]["id"]), bob.send(room, "3")]
    head = alice.get(f"/rooms/{room}")["last_seq"]
    async with alice.socket() as socket:
        await socket.opened()
        await socket.subscribe(room)
        erase(bob)
        await socket.reach(room, head + 2)
        live = socket.of(room)
    deleted, left = live
    ranges = [[said[1]["seq"], said[2]["seq"]], [said[4]["seq"]] * 2]
    assert (deleted["type"], deleted["actor_id"]) == ("messages.deleted", bob.id)
    assert deleted["data"] == {"ranges": ranges, "count": 3}
    assert (left["type"], left["data"]["user"]) == ("member.left", nameless(bob))
    assert alice.events(room, head) == live

    found = alice.get(f"/rooms/{room}/messages")["items"]
    for before, after in zip(said, found, strict=True):
        if before["sender"]["id"] == alice.id:
            assert after == before
        else:
            assert after == before | {
                "sender": nameless(bob),
                "text": None,
                "changed_seq": deleted["seq"],
                "deleted_at": deleted["at"],
            }
    assert "1" not in str(alice.events(room)[2]["data"]["text"])


def test_what_was_said_before_one_left_goes_too_also_in_an_archived_room(
    alice: Person, bob: Person
) -> None:
    left, archived = (alice.create_room(bob)["id"] for _ in range(2))
    for room in (left, archived):
        bob.send(room, "hello")
    bob.expect(204, "POST", f"/rooms/{left}/leave")
    alice.expect(200, "PATCH", f"/rooms/{archived}", json={"archived": True})
    erase(bob)
    for room in (left, archived):
        assert [m["text"] for m in alice.get(f"/rooms/{room}/messages")["items"]] == [None]
        assert roles(room, alice) == {alice.id: "owner"}


def test_the_last_owner_is_followed_by_the_highest_and_longest_serving(
    alice: Person, bob: Person, carol: Person
) -> None:
    room = alice.create_room(bob, carol)["id"]
    dave = Person.register(alice.url, "dave")
    for person, role in ((carol, "moderator"), (dave, "moderator")):
        path = f"/rooms/{room}/members/{person.id}"
        alice.expect(201 if person is dave else 200, "PUT", path, json={"role": role})
    head = bob.get(f"/rooms/{room}")["last_seq"]
    erase(alice)
    assert roles(room, bob) == {bob.id: "member", carol.id: "owner", dave.id: "moderator"}
    assert bob.get(f"/rooms/{room}")["member_count"] == 3
    changed, gone = bob.events(room, head)
    assert (changed["type"], changed["actor_id"]) == ("member.role_changed", alice.id)
    assert (changed["data"]["user"]["id"], changed["data"]["role"]) == (carol.id, "owner")
    assert (gone["type"], gone["data"]["role"]) == ("member.left", None)


@one_world
def test_who_is_kept_out_inherits_only_when_there_is_nobody_else(
    world: World, alice: Person, bob: Person, carol: Person
) -> None:
    room, other = (alice.create_room(bob, *more)["id"] for more in ([carol], []))
    alice.expect(200, "PUT", f"/rooms/{room}/members/{bob.id}", json={"role": "admin"})
    assert world.manage("disable_user", bob.name).returncode == 0
    erase(alice)
    assert roles(room, carol) == {bob.id: "admin", carol.id: "owner"}
    assert world.manage("enable_user", bob.name).returncode == 0
    assert roles(other, bob.login()) == {bob.id: "owner"}


def test_another_owner_needs_no_heir(alice: Person, bob: Person, carol: Person) -> None:
    room = alice.create_room(bob, carol)["id"]
    alice.expect(200, "PUT", f"/rooms/{room}/members/{carol.id}", json={"role": "owner"})
    erase(alice)
    assert roles(room, carol) == {bob.id: "member", carol.id: "owner"}


def test_a_room_with_nobody_left_ends(alice: Person, bob: Person) -> None:
    room = alice.create_room(kind="public", name=f"of {alice.id}")["id"]
    alice.send(room)
    erase(alice)
    bob.refused(404, "not_found", "GET", f"/rooms/{room}")
    bob.refused(404, "not_found", "POST", f"/rooms/{room}/join")
    assert bob.get("/rooms", params={"scope": "public", "q": alice.id})["items"] == []


def test_a_direct_room_stays_with_somebody_nameless_who_cannot_write(
    alice: Person, bob: Person
) -> None:
    direct = alice.expect(201, "POST", "/rooms/direct", json={"user_ids": [bob.id]})["id"]
    bob.send(direct, "secret")
    alice.send(direct, "kept")
    erase(bob)
    room = alice.get(f"/rooms/{direct}")
    assert room["users"] == [nameless(bob)]
    assert [m["text"] for m in alice.get(f"/rooms/{direct}/messages")["items"]] == [None, "kept"]
    assert roles(direct, alice) == {alice.id: "member", bob.id: "reader"}
    again = {"user_ids": [bob.id]}
    alice.refused(400, "invalid_request", "POST", "/rooms/direct", json=again)


def test_two_at_once_end_the_same_way(alice: Person, bob: Person) -> None:
    room = alice.create_room(bob)["id"]
    bob.send(room)
    phone = bob.login()
    codes = at_once(
        lambda: bob.call("POST", "/me/delete", json=DELETE).status_code,
        lambda: phone.call("POST", "/me/delete", json=DELETE).status_code,
    )
    assert 204 in codes
    assert set(codes) <= {204, 401}
    kinds = [event["type"] for event in alice.events(room)]
    assert kinds.count("messages.deleted") == kinds.count("member.left") == 1


def test_owners_who_go_at_once_leave_no_room_without_one(
    alice: Person, bob: Person, carol: Person
) -> None:
    room = alice.create_room(bob, carol)["id"]
    alice.expect(200, "PUT", f"/rooms/{room}/members/{bob.id}", json={"role": "owner"})
    at_once(lambda: erase(alice), lambda: erase(bob))
    assert roles(room, carol) == {carol.id: "owner"}


def test_what_was_cut_off_is_finished_by_the_upkeep(
    alice: Person, bob: Person, world: World
) -> None:
    room = alice.create_room(bob)["id"]
    bob.send(room, "hello")
    change(
        world,
        "INSERT INTO accounts_erasure (user_id, begun_at) VALUES (%s, %s)",
        uuid.UUID(bob.id),
        "2026-01-01 00:00:00+00:00",
    )
    done = world.manage("upkeep")
    assert done.returncode == 0, done.stderr
    assert roles(room, alice) == {alice.id: "owner"}
    assert [m["text"] for m in alice.get(f"/rooms/{room}/messages")["items"]] == [None]


def test_an_operator_erases_by_name(alice: Person, bob: Person, world: World) -> None:
    room = alice.create_room(bob)["id"]
    bob.send(room)
    done = world.manage("erase_user", bob.name)
    assert (done.returncode, done.stdout) == (0, f"{bob.name} is erased.\n")
    assert alice.get(f"/rooms/{room}/messages")["items"][0]["sender"] == nameless(bob)
    bob.refused(401, "session_revoked", "GET", "/me")
    assert world.manage("erase_user", bob.name).returncode == 1


def test_devices_and_addresses_are_forgotten(alice: Person, world: World) -> None:
    alice.login("a telling name")
    erase(alice)
    found = world.scenario("devices_of", alice.id)
    assert found == [["", ""], ["", ""]]


def everything_kept(world: World) -> dict[str, str]:
    """Return all that is in the database, by the statement that reads it."""
    with contextlib.closing(sqlite3.connect(world.folder / "gapless.sqlite3")) as database:
        names = database.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall()
        tables = [f'SELECT * FROM "{name}"' for (name,) in names]  # noqa: S608  its own names
        return {table: str(database.execute(table).fetchall()) for table in tables}


@one_world
def test_no_word_of_theirs_is_left_anywhere(
    world: World, alice: Person, bob: Person, carol: Person
) -> None:
    word = f"zebrafinch{bob.id[-6:]}"
    room = alice.create_room(bob)["id"]
    asked = carol.create_room(kind="public", join="request")["id"]
    bob.expect(200, "PATCH", "/me", json={"display_name": word})
    bob.expect(201, "POST", f"/rooms/{asked}/requests", json={"text": word})
    direct = {"json": {"user_ids": [bob.id]}, "headers": {"Idempotency-Key": "k"}}
    alice.expect(201, "POST", "/rooms/direct", **direct)
    said = bob.send(room, word, metadata={"key": word})
    bob.expect(200, "PATCH", f"/messages/{said['id']}", json={"text": f"{word}, again"})
    reason = {"json": {"reason": word}, "headers": {"Idempotency-Key": word}}
    bob.expect(201, "POST", f"/messages/{alice.send(room)['id']}/report", **reason)
    bob.expect(200, "PUT", f"/rooms/{room}/draft", json={"text": word})
    later = {"text": word, "send_at": f"{datetime.now(UTC) + timedelta(days=9):%FT%TZ}"}
    path = f"/rooms/{room}/scheduled"
    cancelled, _ = (bob.expect(201, "POST", path, json=later) for _ in range(2))
    bob.expect(204, "DELETE", f"{path}/{cancelled['id']}")
    bob.upload(f"{word}.txt", b"file")
    file = bob.upload(f"{word}.txt", b"file")["id"]
    bob.send(room, word, attachment_ids=[file])
    code = alice.expect(201, "POST", f"/rooms/{room}/invites", json={})["code"]
    bob.expect(200, "POST", f"/invites/{code}/accept")
    bob.login(word)
    assert any(word in rows for rows in everything_kept(world).values())
    erase(bob)
    assert world.manage("upkeep").returncode == 0
    left = {name for name, rows in everything_kept(world).items() if word in rows}
    assert left <= {
        'SELECT * FROM "api_searchwords_data"'
    }  # an index of FTS5 drops words when it is merged
