"""What is somebody else's is not there: the same answer as for what does not exist."""

from typing import Any, NamedTuple

import pytest

from tests.clients import Person
from tests.servers import World

GHOST = "01890000-0000-7000-8000-000000000000"


class Secret(NamedTuple):
    """Alice's private room with bob and a message in it, and carol, who is outside."""

    alice: Person
    bob: Person
    carol: Person
    room: str
    message: str


@pytest.fixture(scope="module")
def secret(embedded: World) -> Secret:
    """A private room of alice and bob."""
    cast = [Person.register(embedded.server.url, name) for name in ("alice", "bob", "carol")]
    alice, bob, carol = cast
    room = alice.create_room(bob)["id"]
    return Secret(alice, bob, carol, room, alice.send(room, "between us")["id"])


CALLS: list[tuple[str, str, Any]] = [
    ("GET", "/rooms/{room}", None),
    ("PATCH", "/rooms/{room}", {"name": "mine"}),
    ("DELETE", "/rooms/{room}", None),
    ("POST", "/rooms/{room}/join", None),
    ("POST", "/rooms/{room}/leave", None),
    ("GET", "/rooms/{room}/members", None),
    ("PUT", "/rooms/{room}/members/{carol}", {}),
    ("PUT", "/rooms/{room}/members/{bob}", {"role": "owner"}),
    ("PATCH", "/rooms/{room}/members/{bob}", {"role": "admin"}),
    ("DELETE", "/rooms/{room}/members/{bob}", None),
    ("GET", "/rooms/{room}/messages", None),
    ("GET", "/rooms/{room}/messages?ids={message}", None),
    ("POST", "/rooms/{room}/messages", {"text": "hello"}),
    ("POST", "/rooms/{room}/messages/delete", {"ranges": [[1, 9]]}),
    ("GET", "/rooms/{room}/events", None),
    ("PUT", "/rooms/{room}/read", {"seq": 1}),
    ("PUT", "/read", {"rooms": {"{room}": 1}}),
    ("GET", "/messages/{message}", None),
    ("PATCH", "/messages/{message}", {"text": "other"}),
    ("DELETE", "/messages/{message}", None),
    ("GET", "/users/{bob}", None),
]


def filled(value: Any, names: dict[str, str]) -> Any:
    if isinstance(value, dict):
        return {filled(key, names): filled(item, names) for key, item in value.items()}
    if isinstance(value, str):
        for name, text in names.items():
            value = value.replace(f"{{{name}}}", text)
    return value


@pytest.mark.parametrize(("method", "path", "body"), CALLS, ids=lambda value: str(value)[:40])
def test_stranger_is_told_what_one_is_told_about_nothing(
    secret: Secret, method: str, path: str, body: Any
) -> None:
    ids = {"room": secret.room, "message": secret.message, "bob": secret.bob.id}
    ids["carol"] = secret.carol.id
    nothing = dict.fromkeys(ids, GHOST)
    before = [person.get("/sync")["rooms"] for person in (secret.alice, secret.bob, secret.carol)]
    told = []
    for names in (ids, nothing):
        options = {} if body is None else {"json": filled(body, names)}
        problem = secret.carol.refused(404, "not_found", method, filled(path, names), **options)
        del problem["request_id"]
        told.append(problem)
    assert told[0] == told[1]
    after = [person.get("/sync")["rooms"] for person in (secret.alice, secret.bob, secret.carol)]
    assert after == before


@pytest.mark.parametrize(("method", "path", "body"), CALLS, ids=lambda value: str(value)[:40])
def test_nobody_is_asked_for_a_token_first(
    secret: Secret, method: str, path: str, body: Any
) -> None:
    ids = {"room": secret.room, "message": secret.message, "bob": secret.bob.id, "carol": GHOST}
    options = {} if body is None else {"json": filled(body, ids)}
    nobody = Person(secret.alice.url, {})
    nobody.refused(401, "not_authenticated", method, filled(path, ids), **options)


def test_messages_of_another_room_are_not_in_this_one(secret: Secret) -> None:
    own = secret.carol.create_room()["id"]
    found = secret.carol.get(f"/rooms/{own}/messages?ids={secret.message}")
    assert found["items"] == []
    reply = {"text": "hello", "reply_to_id": secret.message}
    problem = secret.carol.refused(
        400, "invalid_request", "POST", f"/rooms/{own}/messages", json=reply
    )
    assert problem["errors"][0]["pointer"] == "/reply_to_id"
    nowhere = secret.carol.refused(
        400,
        "invalid_request",
        "POST",
        f"/rooms/{own}/messages",
        json=reply | {"reply_to_id": GHOST},
    )
    assert nowhere["errors"] == problem["errors"]


@pytest.mark.parametrize(
    ("path", "params"),
    [
        (path, params)
        for path in ("messages", "events", "members")
        for params in (
            {"limit": "0"},
            {"limit": "1e1"},
            {"limit": "-1"},
            {"limit": "999999999999"},
            {"cursor": "AAAA", "after": "x"},
            {"after": "-1"},
            {"after": "9007199254740992"},
            {"after": "1", "before": "3"},
            {"unknown": "1"},
        )
    ],
)
def test_bad_page_is_refused(secret: Secret, path: str, params: dict[str, str]) -> None:
    secret.alice.refused(
        400, "invalid_request", "GET", f"/rooms/{secret.room}/{path}", params=params
    )
