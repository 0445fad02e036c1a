"""Direct rooms: one for each set of people, which is fixed; who leaves only hides it."""

import uuid
from functools import partial
from typing import Any

from tests.clients import Person, at_once
from tests.servers import one_world


def test_a_direct_room_is_one_for_each_set_of_people(
    alice: Person, bob: Person, carol: Person
) -> None:
    room = alice.expect(201, "POST", "/rooms/direct", json={"user_ids": [bob.id, alice.id]})
    shown = (room["name"], room["kind"], room["my_role"], [user["id"] for user in room["users"]])
    assert shown == (None, "direct", "member", [bob.id])
    same = bob.expect(200, "POST", "/rooms/direct", json={"user_ids": [alice.id]})
    assert (same["id"], [user["id"] for user in same["users"]]) == (room["id"], [alice.id])
    three = {"user_ids": [carol.id, bob.id]}
    assert alice.expect(201, "POST", "/rooms/direct", json=three)["id"] != room["id"]
    for nobody in ([], [alice.id], [str(uuid.uuid4())]):
        body = {"user_ids": nobody}
        alice.refused(400, "invalid_request", "POST", "/rooms/direct", json=body)


def test_a_direct_room_is_one_also_when_all_ask_at_once(alice: Person, bob: Person) -> None:
    calls = [
        partial(me.call, "POST", "/rooms/direct", json={"user_ids": [other.id]})
        for me, other in [(alice, bob), (bob, alice)] * 4
    ]
    answers = at_once(*calls)
    assert len({answer.json()["id"] for answer in answers}) == 1
    assert sorted(answer.status_code for answer in answers) == [200] * 7 + [201]


@one_world
def test_leaving_a_direct_room_hides_it_until_something_is_said(alice: Person, bob: Person) -> None:
    direct: dict[str, Any] = {"json": {"user_ids": [bob.id]}}
    path = f"/rooms/{alice.expect(201, 'POST', '/rooms/direct', **direct)['id']}"

    def hidden(person: Person) -> bool:
        return bool(person.get(path)["preferences"]["hidden"])

    alice.send(path[7:])
    alice.expect(204, "POST", f"{path}/leave")
    assert (hidden(alice), hidden(bob)) == (True, False)
    bob.send(path[7:])
    assert not hidden(alice)
    alice.expect(204, "POST", f"{path}/leave")
    alice.expect(200, "POST", "/rooms/direct", **direct)
    assert not hidden(alice)


@one_world
def test_the_people_of_a_direct_room_are_fixed(alice: Person, bob: Person, carol: Person) -> None:
    direct = alice.expect(201, "POST", "/rooms/direct", json={"user_ids": [bob.id]})
    path = f"/rooms/{direct['id']}"
    for method, at, body in (
        ("PUT", f"{path}/members/{carol.id}", {}),
        ("PATCH", f"{path}/members/{bob.id}", {"role": "reader"}),
        ("DELETE", f"{path}/members/{bob.id}", None),
        ("PATCH", path, {"frozen": True}),
        ("DELETE", path, None),
    ):
        alice.refused(403, "permission_denied", method, at, json=body)
    carol.refused(404, "not_found", "POST", f"{path}/join")
