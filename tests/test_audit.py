"""The audit: who did what to whom and why, in the order in which it was done, for admins.

What a naive form does, and fails here: it writes down what was refused, or what changed nothing;
it forgets what a job did, what an erasure brought about, and what has no event; it shows the
newest page only.
"""

from typing import Any

from tests.clients import Person, sender
from tests.moderating import ban, in_future, lift
from tests.servers import one_world
from tests.test_erasure import erase
from tests.test_mutes import mute, unmute


def audit(person: Person, room: str, query: str = "") -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = person.get(f"/rooms/{room}/audit{query}")["items"]
    return items


def test_all_that_is_done_to_others_and_to_the_room_is_kept(
    alice: Person, bob: Person, carol: Person
) -> None:
    room = alice.create_room(bob, carol)["id"]
    path = f"/rooms/{room}"
    alice.expect(200, "PATCH", f"{path}/members/{bob.id}", json={"role": "moderator"})
    said = [carol.send(room)["id"] for _ in range(2)]
    bob.expect(200, "DELETE", f"/messages/{said[0]}")
    seq = alice.get(f"/messages/{said[1]}")["seq"]
    bob.expect(200, "POST", f"{path}/messages/delete", json={"ranges": [[seq, seq]]})
    until = in_future(days=1)
    mute(bob, room, carol, until=until)
    unmute(bob, room, carol)
    bob.expect(200, "PATCH", path, json={"frozen": True, "slow_mode_seconds": 9})
    alice.expect(200, "PATCH", path, json={"topic": "new", "name": "room"})
    ban(bob, room, carol, reason="spam")
    lift(alice, room, carol)
    alice.expect(201, "PUT", f"{path}/members/{carol.id}", json={})
    reason = {"reason": "flooding"}
    bob.expect(204, "DELETE", f"{path}/members/{carol.id}", json=reason)
    alice.expect(200, "PATCH", path, json={"archived": True})

    found = audit(alice, room)

    events = {event["seq"]: event for event in alice.events(room)}
    for entry in found:
        event = events[entry["seq"]]
        assert (entry["action"], entry["at"]) == (event["type"], event["at"])
        assert entry["actor"]["id"] == event["actor_id"]
    told = [
        (
            entry["action"],
            entry["user"] and entry["user"]["id"],
            entry["reason"],
            entry["details"],
        )
        for entry in reversed(found)
    ]
    assert told == [
        ("member.role_changed", bob.id, None, {"from": "member", "to": "moderator"}),
        ("message.deleted", carol.id, None, None),
        ("messages.deleted", None, None, {"ranges": [[seq, seq]], "count": 1}),
        ("member.muted", carol.id, None, {"until": until}),
        ("member.unmuted", carol.id, None, None),
        ("room.updated", None, None, {"frozen": True, "slow_mode_seconds": 9}),
        ("room.updated", None, None, {"topic": "new"}),
        ("member.banned", carol.id, "spam", {"until": None}),
        ("member.unbanned", carol.id, None, None),
        ("member.joined", carol.id, None, {"role": "member"}),
        ("member.removed", carol.id, "flooding", None),
        ("room.archived", None, None, {"archived": True}),
    ]
    assert [entry["message_id"] for entry in found if entry["message_id"]] == [said[0]]
    assert found[0]["actor"] == sender(alice.user)


@one_world
def test_what_one_does_to_oneself_or_what_is_refused_is_not_kept(
    alice: Person, bob: Person
) -> None:
    room = alice.create_room(bob)["id"]
    mine = [alice.send(room) for _ in range(2)]
    alice.expect(200, "DELETE", f"/messages/{mine[0]['id']}")
    ranges = [[mine[1]["seq"], mine[1]["seq"]]]
    alice.expect(200, "POST", f"/rooms/{room}/messages/delete", json={"ranges": ranges})
    bob.refused(403, "permission_denied", "PUT", f"/rooms/{room}/bans/{alice.id}")
    alice.expect(200, "PATCH", f"/rooms/{room}", json={"name": "room"})
    unmute(alice, room, bob)
    lift(alice, room, bob)
    bob.expect(204, "POST", f"/rooms/{room}/leave")
    assert audit(alice, room) == []


@one_world
def test_the_audit_is_paged_from_the_newest_on(alice: Person, bob: Person) -> None:
    room = alice.create_room(bob)["id"]
    for _ in range(3):
        mute(alice, room, bob)
        unmute(alice, room, bob)
    whole = audit(alice, room)
    assert [entry["seq"] for entry in whole] == [8, 7, 6, 5, 4, 3]
    page = alice.get(f"/rooms/{room}/audit?limit=4")
    assert page["items"] == whole[:4]
    rest = alice.get(f"/rooms/{room}/audit?limit=4&cursor={page['next_cursor']}")
    assert rest == {"items": whole[4:], "next_cursor": None}
    other = alice.create_room()["id"]
    cursor = page["next_cursor"]
    alice.refused(400, "invalid_request", "GET", f"/rooms/{other}/audit?cursor={cursor}")


def test_who_decided_about_coming_in_is_kept(alice: Person, bob: Person, carol: Person) -> None:
    room = alice.create_room(bob, kind="public")["id"]
    path = f"/rooms/{room}"
    theirs = bob.expect(201, "POST", f"{path}/invites", json={})["code"]
    own = alice.expect(201, "POST", f"{path}/invites", json={})["code"]
    alice.expect(200, "PATCH", path, json={"join": "request"})
    for code in (own, theirs, theirs):
        alice.expect(204, "DELETE", f"{path}/invites/{code}")
    asked = f"{path}/requests/{carol.id}"
    for answers in (("DELETE", "DELETE"), ("PUT", "PUT")):
        carol.expect(201, "POST", f"{path}/requests", json={})
        for method in answers:
            assert alice.call(method, asked).status_code in (200, 204)
    carol.expect(204, "POST", f"{path}/leave")
    carol.expect(201, "POST", f"{path}/requests", json={})
    carol.expect(204, "DELETE", f"{path}/requests/{carol.id}")
    head = alice.get(path)["last_seq"]

    found = audit(alice, room)

    assert [(entry["action"], entry["user"] and entry["user"]["id"]) for entry in found] == [
        ("member.joined", carol.id),
        ("request.refused", carol.id),
        ("invite.revoked", bob.id),
        ("room.updated", None),
    ]
    assert {entry["actor"]["id"] for entry in found} == {alice.id}
    assert all(0 < entry["seq"] <= head for entry in found)


@one_world
def test_a_mute_that_is_lifted_of_who_has_left_is_kept(alice: Person, bob: Person) -> None:
    room = alice.create_room(bob)["id"]
    mute(alice, room, bob)
    bob.expect(204, "POST", f"/rooms/{room}/leave")
    for _ in range(2):
        unmute(alice, room, bob)
    head = alice.get(f"/rooms/{room}")["last_seq"]
    lifted, _ = audit(alice, room)
    assert (lifted["action"], lifted["actor"], lifted["user"], lifted["seq"]) == (
        *("member.unmuted", sender(alice.user), sender(bob.user), head),
    )
    assert [event["type"] for event in alice.events(room)][-1] == "member.left"


def test_who_became_the_owner_by_an_erasure_is_kept(alice: Person, bob: Person) -> None:
    room = alice.create_room(bob)["id"]
    erase(alice)
    (entry,) = audit(bob, room)
    assert (entry["action"], entry["user"], entry["details"]) == (
        *("member.role_changed", sender(bob.user)),
        {"from": "member", "to": "owner"},
    )
    assert (entry["actor"]["id"], entry["actor"]["username"]) == (alice.id, None)


@one_world
def test_why_one_was_put_out_is_for_moderators_alone(alice: Person, bob: Person) -> None:
    room = alice.create_room(bob)["id"]
    path = f"/rooms/{room}/members/{bob.id}"
    for wrong in ({"reason": "x" * 501}, {"reason": 1}, {"why": "spam"}):
        alice.refused(400, "invalid_request", "DELETE", path, json=wrong)
    alice.expect(204, "DELETE", path, json={"reason": "he knows why"})
    alice.expect(201, "PUT", path, json={})
    alice.expect(204, "DELETE", path)
    reasons = [entry["reason"] for entry in audit(alice, room)]
    assert reasons == [None, None, "he knows why"]
    assert "knows" not in str([alice.events(room), bob.events(bob.id), alice.get("/sync")])
