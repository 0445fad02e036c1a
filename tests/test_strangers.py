"""What strangers see of a room: a private one does not exist, of a public one only its face."""

import uuid
from typing import Any

from tests.cast import LATER
from tests.clients import Person
from tests.contract import document
from tests.servers import one_world

SAY: dict[str, Any] = {"json": {"text": "hello"}}

# Every operation below a room or a message, with a body that is good in itself.
BELOW_A_ROOM: dict[tuple[str, str], dict[str, Any]] = {
    ("GET", "/rooms/{room_id}"): {},
    ("PATCH", "/rooms/{room_id}"): {"json": {"name": "mine"}},
    ("DELETE", "/rooms/{room_id}"): {},
    ("GET", "/rooms/{room_id}/events"): {},
    ("POST", "/rooms/{room_id}/join"): {},
    ("POST", "/rooms/{room_id}/leave"): {},
    ("GET", "/rooms/{room_id}/members"): {},
    ("PUT", "/rooms/{room_id}/members/{user_id}"): {"json": {}},
    ("PATCH", "/rooms/{room_id}/members/{user_id}"): {"json": {"role": "owner"}},
    ("DELETE", "/rooms/{room_id}/members/{user_id}"): {},
    ("GET", "/rooms/{room_id}/messages"): {},
    ("POST", "/rooms/{room_id}/messages"): SAY,
    ("POST", "/rooms/{room_id}/messages/delete"): {"json": {"ranges": [[1, 9]]}},
    ("PUT", "/rooms/{room_id}/read"): {"json": {"seq": 1}},
    ("GET", "/messages/{message_id}"): {},
    ("PATCH", "/messages/{message_id}"): SAY,
    ("DELETE", "/messages/{message_id}"): {},
    ("DELETE", "/messages/{message_id}/pin"): {},
    ("PUT", "/messages/{message_id}/pin"): {},
    ("DELETE", "/messages/{message_id}/reactions/{emoji}"): {},
    ("PUT", "/messages/{message_id}/reactions/{emoji}"): {},
    ("GET", "/messages/{message_id}/readers"): {},
    ("POST", "/messages/{message_id}/report"): {"json": {"reason": "spam"}},
    ("GET", "/messages/{message_id}/thread"): {},
    ("PUT", "/messages/{message_id}/thread/read"): {"json": {"seq": 1}},
    ("GET", "/rooms/{room_id}/audit"): {},
    ("GET", "/rooms/{room_id}/bans"): {},
    ("DELETE", "/rooms/{room_id}/bans/{user_id}"): {},
    ("PUT", "/rooms/{room_id}/bans/{user_id}"): {"json": {}},
    ("DELETE", "/rooms/{room_id}/draft"): {},
    ("GET", "/rooms/{room_id}/draft"): {},
    ("PUT", "/rooms/{room_id}/draft"): SAY,
    ("GET", "/rooms/{room_id}/filter"): {},
    ("PUT", "/rooms/{room_id}/filter"): {"json": {"words": ["word"], "action": "mask"}},
    ("GET", "/rooms/{room_id}/invites"): {},
    ("POST", "/rooms/{room_id}/invites"): {"json": {}},
    ("DELETE", "/rooms/{room_id}/invites/{code}"): {},
    ("GET", "/rooms/{room_id}/invites/{code}"): {},
    ("GET", "/rooms/{room_id}/mutes"): {},
    ("DELETE", "/rooms/{room_id}/mutes/{user_id}"): {},
    ("PUT", "/rooms/{room_id}/mutes/{user_id}"): {"json": {}},
    ("GET", "/rooms/{room_id}/pins"): {},
    ("PATCH", "/rooms/{room_id}/preferences"): {"json": {}},
    ("GET", "/rooms/{room_id}/presence"): {},
    ("GET", "/rooms/{room_id}/requests"): {},
    ("POST", "/rooms/{room_id}/requests"): {"json": {}},
    ("DELETE", "/rooms/{room_id}/requests/{user_id}"): {},
    ("PUT", "/rooms/{room_id}/requests/{user_id}"): {},
    ("GET", "/rooms/{room_id}/scheduled"): {},
    ("POST", "/rooms/{room_id}/scheduled"): {"json": LATER},
    ("DELETE", "/rooms/{room_id}/scheduled/{scheduled_id}"): {},
    ("GET", "/rooms/{room_id}/scheduled/{scheduled_id}"): {},
}
ONES_OWN_WAY_IN = {("POST", "/rooms/{room_id}/join"), ("POST", "/rooms/{room_id}/requests")}
OTHERS = {"code": "code", "scheduled_id": uuid.uuid4(), "emoji": "👍"}


@one_world
def test_a_public_room_is_seen_by_strangers_but_not_read(alice: Person, carol: Person) -> None:
    room = alice.create_room(kind="public")["id"]
    message = alice.send(room)["id"]
    seen = carol.get(f"/rooms/{room}")
    assert (seen["last_seq"], seen["last_message"], seen["my_role"]) == (2, None, None)
    for method, path in BELOW_A_ROOM:
        if path != "/rooms/{room_id}" and (method, path) not in ONES_OWN_WAY_IN:
            at = path.format(room_id=room, message_id=message, user_id=alice.id, **OTHERS)
            body = BELOW_A_ROOM[method, path]
            carol.refused(403, "permission_denied", method, at, **body)


def _documented() -> set[tuple[str, str]]:
    paths = document("openapi")["paths"]
    return {
        (method.upper(), path.removeprefix("/api/v1"))
        for path, operations in paths.items()
        if "{room_id}" in path or "{message_id}" in path
        for method in operations
        if method in ("get", "post", "put", "patch", "delete")
    }


def test_a_private_room_does_not_exist_for_strangers_by_any_path(
    alice: Person, bob: Person, carol: Person
) -> None:
    assert set(BELOW_A_ROOM) == _documented()
    private = alice.create_room(bob)["id"]
    direct = alice.expect(201, "POST", "/rooms/direct", json={"user_ids": [bob.id]})["id"]
    nowhere = (str(uuid.uuid4()), str(uuid.uuid4()))
    hidden = [(room, alice.send(room)["id"]) for room in (private, direct)]
    for (method, path), body in BELOW_A_ROOM.items():
        problems = []
        for room, message in [*hidden, nowhere]:
            at = path.format(room_id=room, message_id=message, user_id=bob.id, **OTHERS)
            problem = carol.refused(404, "not_found", method, at, **body)
            problems.append(problem | {"request_id": ""})
        assert problems[0] == problems[1] == problems[2]
    assert carol.get("/rooms")["items"] == []
    assert private not in str(carol.get("/rooms?scope=public&limit=200"))
