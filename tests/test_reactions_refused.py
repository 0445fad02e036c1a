"""Messages that take no more reactions: buried, full, archived, or not for who reacts."""

import pytest

from tests.clients import Person
from tests.servers import one_world
from tests.test_reactions import HEART, THUMB, path_of, react, shown, take_back


@pytest.mark.parametrize("way", ["one", "range"])
def test_a_tombstone_has_no_reactions_and_takes_none(alice: Person, bob: Person, way: str) -> None:
    room = alice.create_room(bob)["id"]
    said, beside = bob.send(room), bob.send(room)
    for message in (said, beside):
        react(alice, message)
    if way == "one":
        alice.expect(200, "DELETE", f"/messages/{said['id']}")
    else:
        ranges = {"ranges": [[said["seq"]] * 2]}
        alice.expect(200, "POST", f"/rooms/{room}/messages/delete", json=ranges)
    buried, kept = alice.get(f"/rooms/{room}/messages")["items"]
    assert (buried["reactions"], kept["reactions"]) == ([], [shown(THUMB, 1, mine=True)])
    for method in ("PUT", "DELETE"):
        alice.refused(404, "not_found", method, path_of(said))
    kinds = [event["type"] for event in alice.events(room, after=6)]
    assert kinds == ["message.deleted" if way == "one" else "messages.deleted"]


@one_world
def test_a_message_takes_fifty_kinds_and_of_each_any_number(alice: Person, bob: Person) -> None:
    room = alice.create_room(bob)["id"]
    said = alice.send(room)
    names = [f":number-{number}:" for number in range(50)]
    for name in names:
        react(alice, said, name)
    bob.refused(409, "limit_reached", "PUT", path_of(said))
    assert react(bob, said, names[7])["count"] == 2
    take_back(alice, said, names[8])
    assert react(bob, said)["count"] == 1
    bob.refused(409, "limit_reached", "PUT", path_of(said, names[8]))
    reactions = [reaction["emoji"] for reaction in bob.get(f"/messages/{said['id']}")["reactions"]]
    assert reactions == [*names[:8], *names[9:], THUMB]


@one_world
def test_an_archived_room_keeps_its_reactions_as_they_are(alice: Person) -> None:
    room = alice.create_room()["id"]
    said = alice.send(room)
    react(alice, said, HEART)
    alice.expect(200, "PATCH", f"/rooms/{room}", json={"archived": True})
    alice.refused(409, "room_archived", "PUT", path_of(said))
    alice.refused(409, "room_archived", "DELETE", path_of(said, HEART))
    assert react(alice, said, HEART) == {"seq": None, "count": 1}
    assert take_back(alice, said) == {"seq": None, "count": 0}


@one_world
def test_who_only_reads_may_still_take_back_what_they_gave(alice: Person, bob: Person) -> None:
    room = alice.create_room(bob)["id"]
    said = alice.send(room)
    react(bob, said)
    alice.expect(200, "PATCH", f"/rooms/{room}/members/{bob.id}", json={"role": "reader"})
    assert react(bob, said)["seq"] is None
    bob.refused(403, "permission_denied", "PUT", path_of(said, HEART))
    assert take_back(bob, said)["count"] == 0
    bob.refused(403, "permission_denied", "PUT", path_of(said))


@one_world
def test_who_leaves_leaves_their_reactions(alice: Person, bob: Person) -> None:
    room = alice.create_room(bob)["id"]
    said = alice.send(room)
    react(bob, said)
    bob.expect(204, "POST", f"/rooms/{room}/leave")
    bob.refused(404, "not_found", "DELETE", path_of(said))
    assert alice.get(f"/messages/{said['id']}")["reactions"] == [shown(THUMB, 1, mine=False)]
    alice.expect(201, "PUT", f"/rooms/{room}/members/{bob.id}", json={})
    assert bob.get(f"/messages/{said['id']}")["reactions"] == [shown(THUMB, 1, mine=True)]
    assert take_back(bob, said)["count"] == 0
