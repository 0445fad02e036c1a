"""Avatars of people and rooms: whose they may be, who sees them, what becomes of former ones."""

from typing import Any

import pytest

from tests.clients import Person, at_once, profile
from tests.pictures import picture
from tests.servers import one_world


def image(person: Person) -> dict[str, Any]:
    """Send a picture."""
    return person.upload("face.png", picture())


def path_of(upload: dict[str, Any]) -> str:
    """Return the path of a file."""
    return f"/attachments/{upload['id']}"


async def test_a_persons_avatar_is_in_their_profile_for_everybody(
    alice: Person, bob: Person, carol: Person
) -> None:
    alice.create_room(bob)
    face, head = image(alice), alice.get("/sync")["inbox"]["head"]
    async with alice.socket() as socket:
        await socket.opened()
        changed = alice.expect(200, "PATCH", "/me", json={"avatar_id": face["id"]})
        await socket.reach(alice.id, head + 1)
        (event,) = socket.of(alice.id)
    assert changed["avatar"] == face
    assert changed["version"] == alice.user["version"] + 1
    assert (event["type"], event["data"]) == ("me.updated", changed)
    assert alice.events(alice.id, head)[0]["data"] == changed
    assert alice.get("/me") == changed
    assert alice.get("/sync")["me"] == changed
    assert bob.get(f"/users/{alice.id}") == profile(changed)
    assert carol.get("/users", params={"q": alice.name})["items"] == [profile(changed)]
    for person in (alice, bob, carol):
        assert person.call("GET", path_of(face)).status_code == 200
        assert person.call("GET", path_of(face) + "/thumbnail").status_code == 200


async def test_a_rooms_avatar_is_for_those_who_may_see_the_room(
    alice: Person, bob: Person, carol: Person
) -> None:
    for kind, seen in (("private", 404), ("public", 200)):
        room = alice.create_room(bob, kind=kind)
        face = image(alice)
        async with bob.socket() as socket:
            await socket.opened()
            await socket.subscribe(room["id"])
            changed = alice.expect(
                200, "PATCH", f"/rooms/{room['id']}", json={"avatar_id": face["id"]}
            )
            await socket.reach(room["id"], changed["last_seq"])
            (event,) = socket.of(room["id"])
        assert (event["type"], event["data"]["avatar"]) == ("room.updated", face)
        assert changed["avatar"] == face
        assert bob.get(f"/rooms/{room['id']}")["avatar"] == face
        assert {found["id"]: found for found in bob.get("/sync")["rooms"]}[room["id"]][
            "avatar"
        ] == face
        replayed = bob.events(room["id"], changed["last_seq"] - 1)
        assert [found["data"] for found in replayed] == [event["data"]]
        answers = [person.call("GET", path_of(face)).status_code for person in (alice, bob, carol)]
        assert answers == [200, 200, seen]


@pytest.mark.parametrize("whose", ["room", "person"])
def test_the_former_avatar_is_gone_and_the_same_one_changes_nothing(
    alice: Person, bob: Person, whose: str
) -> None:
    room = alice.create_room(bob)["id"]
    path = "/me" if whose == "person" else f"/rooms/{room}"
    stream = alice.id if whose == "person" else room
    first, second = image(alice), image(alice)

    def change(avatar_id: str | None) -> Any:
        return alice.expect(200, "PATCH", path, json={"avatar_id": avatar_id})["avatar"]

    assert change(None) is None
    before = len(alice.events(stream))
    assert change(first["id"]) == first
    assert change(first["id"]) == first
    assert change(second["id"]) == second
    assert [alice.call("GET", path_of(one)).status_code for one in (first, second)] == [404, 200]
    body = {"avatar_id": first["id"]}
    problem = alice.refused(400, "invalid_request", "PATCH", path, json=body)
    assert [fault["pointer"] for fault in problem["errors"]] == ["/avatar_id"]
    assert change(None) is None
    assert change(None) is None
    assert alice.call("GET", path_of(second)).status_code == 404
    assert len(alice.events(stream)) == before + (3 if whose == "room" else 1)


@pytest.mark.parametrize("whose", ["room", "person"])
def test_an_avatar_is_an_unused_image_of_ones_own(alice: Person, bob: Person, whose: str) -> None:
    room = alice.create_room(bob)["id"]
    path = "/me" if whose == "person" else f"/rooms/{room}"
    used = image(alice)
    alice.send(room, attachment_ids=[used["id"]])
    text = alice.upload("a.txt", b"text")
    for upload in (used, text, image(bob), {"id": room}):
        body = {"avatar_id": upload["id"]}
        problem = alice.refused(400, "invalid_request", "PATCH", path, json=body)
        assert [fault["pointer"] for fault in problem["errors"]] == ["/avatar_id"]
    assert alice.get(path)["avatar"] is None


def test_of_many_who_want_the_same_image_one_has_it(alice: Person) -> None:
    rooms = [alice.create_room()["id"] for _ in range(3)]
    face = image(alice)
    body = {"avatar_id": face["id"]}
    paths = [*(f"/rooms/{room}" for room in rooms), "/me"]
    answers = at_once(
        *[lambda path=path: alice.call("PATCH", path, json=body).status_code for path in paths],
        lambda: (
            alice.call(
                "POST",
                f"/rooms/{rooms[0]}/messages",
                json={"text": "", "attachment_ids": [face["id"]]},
            ).status_code
        ),
    )
    assert sorted(status // 100 for status in answers) == [2, 4, 4, 4, 4]


@one_world
def test_avatars_take_the_right_to_change_the_room(alice: Person, bob: Person) -> None:
    room = alice.create_room(bob)["id"]
    body = {"avatar_id": image(bob)["id"]}
    bob.refused(403, "permission_denied", "PATCH", f"/rooms/{room}", json=body)
    alice.expect(200, "PATCH", f"/rooms/{room}", json={"archived": True})
    body = {"avatar_id": image(alice)["id"]}
    alice.refused(409, "room_archived", "PATCH", f"/rooms/{room}", json=body)


def test_name_and_avatar_change_in_one_event(alice: Person) -> None:
    head = alice.get("/sync")["inbox"]["head"]
    face = image(alice)
    body = {"display_name": "Alice II", "avatar_id": face["id"]}
    changed = alice.expect(200, "PATCH", "/me", json=body)
    assert (changed["display_name"], changed["avatar"]) == ("Alice II", face)
    assert [event["data"] for event in alice.events(alice.id, head)] == [changed]


def test_with_the_person_their_avatar_is_gone(alice: Person, bob: Person) -> None:
    alice.create_room(bob)
    face = image(bob)
    bob.expect(200, "PATCH", "/me", json={"avatar_id": face["id"]})
    assert alice.call("GET", path_of(face)).status_code == 200
    bob.expect(204, "POST", "/me/delete", json={"password": "known to tests alone"})
    assert alice.call("GET", path_of(face)).status_code == 404
