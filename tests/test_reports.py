"""Reports: whoever may read a message shows it to the moderators, and one of them decides.

What a naive form does, and fails here: two reports of one person at once; moderators told after
the commit, or not at all; a queue that shows rooms where one moderates no longer; two moderators
who both decide; old text in the queue.
"""

import json
from functools import partial
from typing import Any

from tests.clients import PASSWORD, Person, at_once, sender, told
from tests.servers import World, one_world
from tests.test_audit import audit


def report(person: Person, message: dict[str, Any], status: int = 201, reason: str = "spam") -> Any:
    path = f"/messages/{message['id']}/report"
    return person.expect(status, "POST", path, json={"reason": reason})


def resolve(person: Person, filed: dict[str, Any], status: int = 200, **body: Any) -> Any:
    return person.expect(status, "POST", f"/reports/{filed['id']}/resolve", json=body)


def queue(person: Person, state: str = "open") -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = person.get(f"/reports?state={state}")["items"]
    return items


async def test_moderators_are_told_and_see_the_message_and_one_decides(
    alice: Person, bob: Person, carol: Person
) -> None:
    room = alice.create_room(bob, carol, name="The Room")["id"]
    message = bob.send(room, "buy now")
    async with alice.socket() as hers:
        await hers.opened()
        filed = report(carol, message, reason="it is spam")
        notified = await hers.until("notification.created")
    assert filed == {
        "id": filed["id"],
        "room_id": room,
        "message_id": message["id"],
        "reason": "it is spam",
        "created_at": filed["created_at"],
        "resolved_at": None,
    }
    (notification,) = alice.get("/notifications")["items"]
    assert notification == notified["data"]
    expected = {
        "kind": "report",
        "text": "A message in The Room has been reported.",
        "data": {"report_id": filed["id"]},
        "room_id": room,
        "message_id": message["id"],
        "created_at": filed["created_at"],
    }
    assert expected.items() <= notification.items()
    assert alice.events(alice.id)[-1] == notified
    for person in (bob, carol):
        assert queue(person) == []
        assert person.get("/notifications")["items"] == []

    (item,) = queue(alice)
    assert item == {
        "id": filed["id"],
        "room_id": room,
        "message": told(message),
        "reporter": sender(carol.user),
        "reason": "it is spam",
        "created_at": filed["created_at"],
        "resolved_at": None,
        "resolver": None,
        "action": None,
        "note": None,
    }
    decided = resolve(alice, filed, action="dismissed", note="it is not")
    done = {"resolver": sender(alice.user), "action": "dismissed", "note": "it is not"}
    assert decided == item | done | {"resolved_at": decided["resolved_at"]}
    assert (queue(alice), queue(alice, "resolved")) == ([], [decided])
    (entry,) = audit(alice, room)
    assert (entry["action"], entry["reason"], entry["message_id"], entry["user"]) == (
        *("report.resolved", "it is not", message["id"]),
        sender(bob.user),
    )
    assert entry["details"] == {"report_id": filed["id"], "action": "dismissed"}
    assert report(carol, message, 200)["resolved_at"] == decided["resolved_at"]
    assert len(alice.events(room)) == 4


def test_one_person_reports_a_message_once_also_at_once(alice: Person, bob: Person) -> None:
    room = alice.create_room(bob)["id"]
    message = alice.send(room)
    path = f"/messages/{message['id']}/report"
    calls = [partial(bob.call, "POST", path, json={"reason": str(n)}) for n in range(4)]
    answers = at_once(*calls)
    assert sorted(answer.status_code for answer in answers) == [200, 200, 200, 201]
    assert len({answer.json()["reason"] for answer in answers}) == 1
    assert len(queue(alice)) == len(alice.get("/notifications")["items"]) == 1
    key = {"Idempotency-Key": "again"}
    body: dict[str, Any] = {"json": {"reason": "twice"}, "headers": key}
    other = f"/messages/{alice.send(room)['id']}/report"
    first, again = (bob.expect(201, "POST", other, **body) for _ in range(2))
    assert first == again


def test_a_report_that_deletes_deletes_once_and_shows_no_old_text(
    alice: Person, bob: Person, carol: Person
) -> None:
    room = alice.create_room(bob, carol)["id"]
    message = bob.send(room, "secret words")
    filed = [report(person, message) for person in (carol, alice)]
    decided = resolve(alice, filed[0], action="deleted")
    assert decided["message"]["deleted_at"] is not None
    assert "secret words" not in str([queue(alice), queue(alice, "resolved"), alice.events(room)])
    assert resolve(alice, filed[0], action="deleted") == decided
    resolve(alice, filed[1], action="deleted")
    types = [event["type"] for event in alice.events(room, after=4)]
    assert types == ["message.deleted"]
    alice.refused(
        *(409, "conflict", "POST", f"/reports/{filed[0]['id']}/resolve"),
        json={"action": "handled"},
    )
    actions = [entry["action"] for entry in audit(alice, room)]
    assert actions == ["report.resolved", "report.resolved", "message.deleted"]


def test_of_two_moderators_who_decide_at_once_one_has_decided(alice: Person, bob: Person) -> None:
    for _ in range(3):
        room = alice.create_room(bob)["id"]
        alice.expect(200, "PATCH", f"/rooms/{room}/members/{bob.id}", json={"role": "moderator"})
        filed = report(bob, alice.send(room))
        path = f"/reports/{filed['id']}/resolve"
        answers = at_once(
            partial(alice.call, "POST", path, json={"action": "dismissed"}),
            partial(bob.call, "POST", path, json={"action": "handled"}),
        )
        assert sorted(answer.status_code for answer in answers) == [200, 409]
        assert len(audit(alice, room)) == 2  # with the role


@one_world
def test_the_queue_is_of_the_rooms_that_one_moderates_now(
    alice: Person, bob: Person, carol: Person
) -> None:
    rooms = [alice.create_room(bob, carol)["id"] for _ in range(2)]
    for room in rooms:
        alice.expect(200, "PATCH", f"/rooms/{room}/members/{bob.id}", json={"role": "moderator"})
    filed = [report(carol, alice.send(room)) for room in rooms for _ in range(2)]
    assert [item["id"] for item in queue(bob)] == [item["id"] for item in reversed(filed)]
    page = bob.get("/reports?limit=3")
    rest = bob.get(f"/reports?limit=3&cursor={page['next_cursor']}")
    assert (page["items"] + rest["items"], rest["next_cursor"]) == (queue(bob), None)
    bob.expect(204, "POST", f"/rooms/{rooms[0]}/leave")
    alice.expect(200, "PATCH", f"/rooms/{rooms[1]}/members/{bob.id}", json={"role": "member"})
    assert queue(bob) == []
    bob.refused(
        *(404, "not_found", "POST", f"/reports/{filed[0]['id']}/resolve"),
        json={"action": "dismissed"},
    )
    bob.refused(400, "invalid_request", "GET", "/reports?state=all")
    bob.refused(400, "invalid_request", "GET", "/reports?cursor=x")


@one_world
def test_what_cannot_be_reported_or_decided_is_refused(
    alice: Person, bob: Person, carol: Person
) -> None:
    room = alice.create_room(bob)["id"]
    message = alice.send(room)
    path = f"/messages/{message['id']}/report"
    for reason in ("", " \n", "x" * 501, None):
        bob.refused(400, "invalid_request", "POST", path, json={"reason": reason})
    carol.refused(404, "not_found", "POST", path, json={"reason": "spam"})
    gone = alice.send(room)
    alice.expect(200, "DELETE", f"/messages/{gone['id']}")
    bob.refused(404, "not_found", "POST", f"/messages/{gone['id']}/report", json={"reason": "x"})
    filed = report(bob, message)
    nobody = "01890000-0000-7000-8000-000000000000"
    for action in ("dismissed", "deleted"):
        body = {"action": action}
        alice.refused(404, "not_found", "POST", f"/reports/{nobody}/resolve", json=body)
    alice.refused(
        *(400, "invalid_request", "POST", f"/reports/{filed['id']}/resolve"),
        json={"action": "forgotten"},
    )
    other = alice.send(room)
    alice.expect(200, "PATCH", f"/rooms/{room}", json={"archived": True})
    bob.refused(
        *(409, "room_archived", "POST", f"/messages/{other['id']}/report"), json={"reason": "x"}
    )
    resolve_path = f"/reports/{filed['id']}/resolve"
    alice.refused(409, "room_archived", "POST", resolve_path, json={"action": "deleted"})
    assert resolve(alice, filed, action="handled")["action"] == "handled"


@one_world
def test_at_most_fifty_moderators_are_told_the_highest_first(world: World, alice: Person) -> None:
    crowd = [Person.register(world.server.url, "crowd") for _ in range(52)]
    room = alice.create_room(*crowd)["id"]
    for person in crowd[:51]:
        alice.expect(
            *(200, "PATCH", f"/rooms/{room}/members/{person.id}"), json={"role": "moderator"}
        )
    report(crowd[51], alice.send(room))
    notified = [len(person.get("/notifications")["items"]) for person in (alice, *crowd)]
    assert (notified[0], sum(notified), notified[-1]) == (1, 50, 0)


@one_world
def test_what_is_reported_in_a_direct_room_is_for_operators_alone(
    world: World, alice: Person, bob: Person
) -> None:
    direct = alice.expect(201, "POST", "/rooms/direct", json={"user_ids": [bob.id]})["id"]
    message = alice.send(direct, "line\nfeed \x1b[2J")
    filed = report(bob, message, reason="scares me")
    other = report(alice, alice.send(alice.create_room()["id"]))
    assert alice.get("/notifications")["items"] == []
    for person in (alice, bob):
        assert filed["id"] not in [item["id"] for item in queue(person)]
        path = f"/reports/{filed['id']}/resolve"
        person.refused(403, "permission_denied", "POST", path, json={"action": "dismissed"})

    def listed() -> dict[str, Any]:
        done = world.manage("reports")
        assert done.returncode == 0, done.stderr
        return {item["id"]: item for item in map(json.loads, done.stdout.splitlines())}

    found = listed()
    assert other["id"] not in found
    assert found[filed["id"]] == {
        "id": filed["id"],
        "room_id": direct,
        "message": told(message),
        "reporter": sender(bob.user),
        "reason": "scares me",
        "created_at": filed["created_at"],
        "resolved_at": None,
        "resolver": None,
        "action": None,
        "note": None,
    }
    for report_id in (other["id"], direct):
        assert world.manage("reports", "--resolve", report_id).returncode == 1
    assert world.manage("reports", "--resolve", filed["id"], "--note", "x" * 501).returncode == 1
    close = ("reports", "--resolve", filed["id"], "--note", "wrote to them", "--action")
    done = [world.manage(*close, action) for action in ("handled", "handled", "dismissed")]
    assert [item.stdout for item in done] == ["It is handled.\n", "It is handled.\n", ""]
    assert filed["id"] not in listed()
    assert report(bob, message, 200)["resolved_at"] is not None


@one_world
def test_who_is_erased_has_no_name_and_no_words_left_with_moderators(
    alice: Person, bob: Person, carol: Person
) -> None:
    room = alice.create_room(bob, carol)["id"]
    report(bob, carol.send(room), reason="bob's own words")
    alice.expect(201, "PUT", f"/blocks/{bob.id}")
    alice.expect(200, "PUT", f"/rooms/{room}/mutes/{bob.id}")
    bob.expect(204, "POST", "/me/delete", json={"password": PASSWORD})
    paths = (f"/rooms/{room}/mutes", f"/rooms/{room}/audit", "/reports", "/blocks", "/sync")
    for path in (*paths, "/me/events"):
        found = alice.get(path)
        assert bob.name not in str(found)
        assert "bob's own words" not in str(found)
    (item,) = queue(alice)
    assert (item["reporter"]["username"], item["reason"]) == (None, "")
