"""What is asked for in the tables of docs/roles.md: paths, parameters and bodies."""

import re
import uuid
from collections.abc import Callable
from typing import Any, NamedTuple

from tests.cast import LATER, Scene, role_in
from tests.clients import PASSWORD, Person
from tests.pictures import picture
from tests.roles import Row

STATES: dict[str, dict[str, Any]] = {
    "the room is frozen": {"frozen": True},
    "the room is archived": {"archived": True},
    "one has to ask": {"join": "request"},
}
CHANGES: dict[str, dict[str, Any]] = {
    "name, topic, metadata, join": {
        "name": "new",
        "topic": "new",
        "metadata": {"a": 1},
        "join": "request",
    },
    "archived": {"archived": True},
    "avatar": {"avatar_id": None},
    "frozen, slow mode": {"frozen": True, "slow_mode_seconds": 9},
}
CASES = {  # that say all by themselves, or what is so anyway
    *("", "the owner is the last one", "with a refresh token", "with a newcomer"),
    *("by exact username", "?scope=public", "?room=", *STATES, *CHANGES),
}
ABOUT_SOMEBODY = re.compile(r"an? |one(self|'s own)|somebody else's")
USES_UP = re.compile(
    r"POST /auth/(?!socket|download)|POST /me/delete|DELETE /auth"
)  # whoever does it


class Ask(NamedTuple):
    """One request; ``person`` makes it where it is not the one whose place it is.

    ``sought`` is the id that occurs in the answer if the caller may see what it is of.
    """

    path: str
    body: Any = None
    query: dict[str, str] | None = None
    sought: str = ""
    person: Person | None = None
    files: dict[str, tuple[str, bytes]] | None = None


class Subject(NamedTuple):
    """What the body of a request may be about."""

    scene: Scene
    actor: Person
    whom: Person
    case: str


BODIES: dict[str, Callable[[Subject], Any]] = {
    "PATCH /rooms/{room_id}": lambda it: CHANGES[it.case],
    "PUT /rooms/{room_id}/members/{user_id}": lambda it: role_in(it.case),
    "PATCH /rooms/{room_id}/members/{user_id}": lambda it: role_in(it.case),
    "POST /rooms/{room_id}/messages": lambda it: {"text": "said"},
    "POST /rooms/{room_id}/messages/delete": lambda it: {
        "ranges": [[it.scene.said_by(it.whom)["seq"]] * 2]
    },
    "PATCH /messages/{message_id}": lambda it: {"text": "changed"},
    "POST /rooms/{room_id}/invites": lambda it: {"expires_in": 60},
    "POST /rooms/{room_id}/requests": lambda it: {"text": "please"},
    "PUT /rooms/{room_id}/draft": lambda it: {"text": "begun"},
    "POST /rooms/{room_id}/scheduled": lambda it: LATER,
    "PATCH /rooms/{room_id}/preferences": lambda it: {"favourite": True},
    "PUT /rooms/{room_id}/read": lambda it: {"seq": 1},
    "PUT /messages/{message_id}/thread/read": lambda it: {"seq": 1},
    "PUT /read": lambda it: {"rooms": {it.scene.room: 1}},
    "POST /rooms": lambda it: {"name": "another", "kind": "private"},
    "POST /rooms/direct": lambda it: {"user_ids": [it.scene.cast.newcomer.id]},
    "POST /auth/register": lambda it: {
        "username": f"r.{uuid.uuid4().hex[:20]}",
        "password": PASSWORD,
    },
    "POST /auth/login": lambda it: {"username": it.actor.name, "password": PASSWORD},
    "POST /auth/refresh": lambda it: {"refresh": it.actor.tokens["refresh"]},
    "POST /auth/logout": lambda it: (
        {"refresh": it.actor.tokens["refresh"]} if it.case == "with a refresh token" else {}
    ),
    "POST /auth/password": lambda it: {"current_password": PASSWORD, "new_password": PASSWORD * 2},
    "POST /me/delete": lambda it: {"password": PASSWORD},
    "PUT /me/presence": lambda it: {"status": "online"},
    "PATCH /me": lambda it: {"display_name": "Somebody Else"},
    "POST /users/{user_id}/notifications": lambda it: {"kind": "notice", "text": "hello"},
    "POST /notifications/read": lambda it: {"up_to": 1},
    "PUT /rooms/{room_id}/filter": lambda it: {"words": ["bad"], "action": "block"},
    "POST /messages/{message_id}/report": lambda it: {"reason": "spam"},
    "POST /reports/{report_id}/resolve": lambda it: {
        "action": "deleted" if it.case.endswith("deleted") else "dismissed"
    },
}


def ask(row: Row, scene: Scene, place: str) -> Ask:
    """Return what a row asks for, in this scene, by whoever is in this place."""
    assert row.case in CASES or ABOUT_SOMEBODY.match(row.case), f"no such case: {row}"
    actor, person = scene.cast.actor(place), None
    if USES_UP.match(row.call):
        actor = scene.stand_in(place)
        person = scene.cast.nobody if place == "nobody" else actor
    whom = scene.whom(row.case, actor)
    if row.case in STATES:
        scene.owner.expect(200, "PATCH", f"/rooms/{scene.room}", json=STATES[row.case])
    made = BODIES.get(row.call)
    body = made(Subject(scene, actor, whom, row.case)) if made else None
    path = row.call.partition(" ")[2].format(**_names(row, scene, whom))
    prefix = "" if row.table.startswith("Outside") else "/api/v1"
    sought = "" if not row.shows else whom.id if "/users" in row.call else scene.room
    files = {"file": ("a.png", picture())} if row.call == "POST /uploads" else None
    return Ask(prefix + path, body, _query(row, scene, whom), sought, person, files)


def _names(row: Row, scene: Scene, whom: Person) -> dict[str, str]:
    names = {"user_id": whom.id, "emoji": "👍"}
    if "{room_id}" in row.call:
        names["room_id"] = scene.room
    if "{code}" in row.call:
        made = scene.owner.expect(201, "POST", f"/rooms/{scene.room}/invites", json={})
        names["code"] = made["code"]
    if "{scheduled_id}" in row.call:
        names["scheduled_id"] = scene.scheduled_by(whom)
    if "{message_id}" in row.call:
        names["message_id"] = scene.said_by(whom)["id"]
    if "{attachment_id}" in row.call:
        mine = "account" in row.table
        names["attachment_id"] = (
            whom.upload("a.png", picture()) if mine else scene.shown_by(whom)
        )["id"]
    if "/reports" in row.call:
        names["report_id"] = scene.report_on(whom)["id"]
    if "{session_id}" in row.call:
        names["session_id"] = whom.tokens["session"]["id"]
    return names


def _query(row: Row, scene: Scene, whom: Person) -> dict[str, str] | None:
    match row.call, row.case:
        case _, "?scope=public":
            return {"scope": "public", "q": scene.name}
        case "GET /search", case:
            said = scene.said_by(scene.cast.actors["former member"])
            return {"q": said["text"]} | ({"room": scene.room} if case else {})
        case "GET /users", "by exact username":
            return {"q": scene.cast.newcomer.name}
        case "GET /users", _:
            return {"ids": whom.id}
        case "GET /rooms/{room_id}/messages", "a member's, in ?ids=":
            return {"ids": scene.said_by(whom)["id"]}
    return None
