"""Members: how one comes and goes, who may do what to whom, and who is told."""

import uuid
from functools import partial
from typing import Any

import pytest

from tests.clients import Person, at_once, sender
from tests.servers import World, one_world

ROLES = ["owner", "admin", "moderator", "member", "reader"]
BELOW = {role: ROLES[place + 1 :] for place, role in enumerate(ROLES)}
REMOVES = BELOW | {"member": [], "reader": []}
CHANGES = REMOVES | {"moderator": []}
GIVES = CHANGES | {"owner": ROLES}

Pairs = dict[str, tuple[Person, Person]]


@pytest.fixture(scope="module")
def pairs(embedded: World) -> Pairs:
    """Two people for each role."""
    url = embedded.server.url
    return {role: (Person.register(url, role), Person.register(url, role)) for role in ROLES}


@pytest.fixture
def room(pairs: Pairs) -> str:
    """A room with all of them in it."""
    owner = pairs["owner"][0]
    others = [person for pair in pairs.values() for person in pair if person is not owner]
    made: str = owner.create_room(*others)["id"]
    for role, pair in pairs.items():
        for person in pair:
            owner.expect(200, "PUT", f"/rooms/{made}/members/{person.id}", json={"role": role})
    return made


def roles_in(room: str, person: Person) -> dict[str, str]:
    return {
        member["user"]["id"]: member["role"]
        for member in person.get(f"/rooms/{room}/members")["items"]
    }


@pytest.mark.parametrize("role", ROLES)
def test_removing_takes_a_moderator_and_a_higher_role(pairs: Pairs, room: str, role: str) -> None:
    actor = pairs[role][0]
    removed = []
    for other, (_, person) in pairs.items():
        answer = actor.call("DELETE", f"/rooms/{room}/members/{person.id}")
        assert answer.status_code == 204 or answer.json()["code"] == "permission_denied"
        if answer.status_code == 204:
            removed.append(other)
    assert removed == REMOVES[role]
    assert len(roles_in(room, actor)) == 10 - len(removed)


@pytest.mark.parametrize("role", ROLES)
def test_changing_a_role_takes_an_admin_and_a_higher_role(
    pairs: Pairs, room: str, role: str
) -> None:
    actor = pairs[role][0]
    changed = []
    for other, (_, person) in pairs.items():
        wanted = {"role": "member" if other == "reader" else "reader"}
        answer = actor.call("PATCH", f"/rooms/{room}/members/{person.id}", json=wanted)
        assert answer.status_code == 200 or answer.json()["code"] == "permission_denied"
        assert (answer.status_code == 200) == (roles_in(room, actor)[person.id] != other)
        if answer.status_code == 200:
            changed.append(other)
    assert changed == CHANGES[role]


@pytest.mark.parametrize("role", ROLES)
def test_nobody_gives_a_role_that_is_not_below_their_own_but_owners(
    pairs: Pairs, room: str, role: str
) -> None:
    actor, newcomer = pairs[role][0], pairs["reader"][1]
    owner = pairs["owner"][1]
    path = f"/rooms/{room}/members/{newcomer.id}"
    given = []
    for wanted in ROLES:
        if newcomer.id in roles_in(room, owner):
            newcomer.expect(204, "POST", f"/rooms/{room}/leave")
        answer = actor.call("PUT", path, json={"role": wanted})
        assert answer.status_code == 201 or answer.json()["code"] == "permission_denied"
        if answer.status_code == 201:
            given.append(wanted)
            assert roles_in(room, owner)[newcomer.id] == wanted
    assert given == GIVES[role]


@pytest.mark.parametrize("role", ROLES)
def test_one_may_step_down_but_never_up(pairs: Pairs, room: str, role: str) -> None:
    actor = pairs[role][0]
    path = f"/rooms/{room}/members/{actor.id}"
    for higher in ROLES[: ROLES.index(role)]:
        actor.refused(403, "permission_denied", "PATCH", path, json={"role": higher})
    for lower in ROLES[ROLES.index(role) :]:
        assert actor.expect(200, "PATCH", path, json={"role": lower})["role"] == lower


@one_world
def test_the_last_owner_hands_over_before_they_go(alice: Person, bob: Person) -> None:
    room = alice.create_room(bob)["id"]
    path = f"/rooms/{room}/members"
    step_down: dict[str, Any] = {"json": {"role": "member"}}
    alice.refused(409, "conflict", "POST", f"/rooms/{room}/leave")
    alice.refused(409, "conflict", "DELETE", f"{path}/{alice.id}")
    alice.refused(409, "conflict", "PATCH", f"{path}/{alice.id}", **step_down)
    assert roles_in(room, alice) == {alice.id: "owner", bob.id: "member"}

    alice.expect(200, "PATCH", f"{path}/{bob.id}", json={"role": "owner"})
    alice.refused(403, "permission_denied", "PATCH", f"{path}/{bob.id}", **step_down)
    alice.expect(200, "PATCH", f"{path}/{alice.id}", **step_down)
    assert roles_in(room, bob) == {alice.id: "member", bob.id: "owner"}
    alice.expect(204, "POST", f"/rooms/{room}/leave")


def test_of_two_owners_who_leave_at_once_one_stays(alice: Person, bob: Person) -> None:
    for _ in range(3):
        room = alice.create_room(bob)["id"]
        alice.expect(200, "PATCH", f"/rooms/{room}/members/{bob.id}", json={"role": "owner"})
        leave = f"/rooms/{room}/leave"
        hers, his = at_once(partial(alice.call, "POST", leave), partial(bob.call, "POST", leave))
        assert sorted([hers.status_code, his.status_code]) == [204, 409]
        stayed = bob if hers.status_code == 204 else alice
        assert roles_in(room, stayed) == {stayed.id: "owner"}


async def test_joining_is_told_to_the_room_and_to_all_of_ones_devices(
    alice: Person, bob: Person
) -> None:
    room = alice.create_room(kind="public")["id"]
    async with alice.socket() as hers, bob.socket() as his:
        await hers.opened()
        await hers.subscribe(room)
        await his.opened()

        joined = bob.expect(200, "POST", f"/rooms/{room}/join")

        told = await hers.until("member.joined")
        member = {"user": sender(bob.user), "role": "member", "joined_at": told["at"]}
        assert told["data"] == member | {"muted_until": None}
        assert (told["seq"], told["actor_id"]) == (2, bob.id)
        added = await his.until("room.added")
        assert (added["data"], added["actor_id"]) == (joined, bob.id)
        assert (joined["read_seq"], joined["member_count"], joined["my_role"]) == (2, 2, "member")
    assert bob.expect(200, "POST", f"/rooms/{room}/join") == joined
    assert alice.events(room)[1:] == [told]


@one_world
def test_only_open_public_rooms_can_be_joined(alice: Person, bob: Person, carol: Person) -> None:
    asks = alice.create_room(kind="public", join="request")["id"]
    carol.refused(403, "permission_denied", "POST", f"/rooms/{asks}/join")
    private = alice.create_room(bob)["id"]
    carol.refused(404, "not_found", "POST", f"/rooms/{private}/join")
    assert bob.expect(200, "POST", f"/rooms/{private}/join")["last_seq"] == 2
    archived = alice.create_room(kind="public")["id"]
    alice.expect(200, "PATCH", f"/rooms/{archived}", json={"archived": True})
    carol.refused(409, "room_archived", "POST", f"/rooms/{archived}/join")
    assert carol.get("/rooms")["items"] == []


@pytest.mark.parametrize("reason", ["left", "removed"])
async def test_who_goes_sees_nothing_from_the_same_instant(
    alice: Person, bob: Person, reason: str
) -> None:
    room = alice.create_room(bob)["id"]
    said = bob.send(room)["id"]
    actor = bob if reason == "left" else alice
    async with bob.socket() as his:
        await his.opened()
        await his.subscribe(room)

        if reason == "left":
            bob.expect(204, "POST", f"/rooms/{room}/leave")
        else:
            alice.expect(204, "DELETE", f"/rooms/{room}/members/{bob.id}")

        for path in ("", "/messages", "/events", "/members"):
            bob.refused(404, "not_found", "GET", f"/rooms/{room}{path}")
        bob.refused(404, "not_found", "GET", f"/messages/{said}")
        bob.refused(404, "not_found", "POST", f"/rooms/{room}/leave")
        alice.send(room, "not for him")
        frames = [await his.receive() for _ in range(3)]
        await his.command("ping", id="end")
        assert await his.receive() == {"type": "pong", "id": "end"}
    told = {frame["type"]: frame for frame in frames}
    gone = told[f"member.{reason}"]
    assert (gone["seq"], gone["actor_id"]) == (4, actor.id)
    assert (gone["data"]["user"], gone["data"]["role"]) == (sender(bob.user), None)
    assert told["unsubscribed"] == {"type": "unsubscribed", "stream": room, "reason": reason}
    assert told["room.removed"]["data"] == {"room_id": room, "seq": 4, "reason": reason}
    assert alice.get(f"/rooms/{room}")["member_count"] == 1


@one_world
def test_adding_and_changing_are_told_once(alice: Person, bob: Person, carol: Person) -> None:
    room = alice.create_room()["id"]
    path = f"/rooms/{room}/members/{bob.id}"
    for status, method, role in (
        (201, "PUT", "moderator"),
        (200, "PUT", "moderator"),
        (200, "PATCH", "moderator"),
        (200, "PATCH", "reader"),
        (200, "PUT", "member"),
    ):
        member = alice.expect(status, method, path, json={"role": role})
        assert (member["user"], member["role"]) == (sender(bob.user), role)
    events = alice.events(room, after=1)
    told = [(event["type"], event["data"]["role"], event["actor_id"]) for event in events]
    assert told == [
        ("member.joined", "moderator", alice.id),
        ("member.role_changed", "reader", alice.id),
        ("member.role_changed", "member", alice.id),
    ]
    assert [event["type"] for event in bob.events(bob.id)] == ["room.added"]
    nobody = f"/rooms/{room}/members/{uuid.uuid4()}"
    alice.refused(404, "not_found", "PUT", nobody, json={})
    alice.refused(404, "not_found", "PATCH", nobody, json={"role": "reader"})
    bad = {"role": "king"}
    alice.refused(400, "invalid_request", "PUT", path, json=bad)
    bob.refused(403, "permission_denied", "PUT", f"/rooms/{room}/members/{carol.id}", json={})


def test_who_comes_back_begins_to_read_at_their_coming_back(alice: Person, bob: Person) -> None:
    room = alice.create_room(bob)["id"]
    alice.send(room, "before")
    alice.expect(204, "DELETE", f"/rooms/{room}/members/{bob.id}")
    alice.send(room, "meanwhile")
    alice.expect(201, "PUT", f"/rooms/{room}/members/{bob.id}", json={})

    seen = bob.get(f"/rooms/{room}")

    assert (seen["last_seq"], seen["read_seq"], seen["unread_count"]) == (6, 6, 0)
    texts = [message["text"] for message in bob.get(f"/rooms/{room}/messages")["items"]]
    assert texts == ["before", "meanwhile"]
    types = [event["type"] for event in bob.events(bob.id)]
    assert types == ["room.added", "room.removed", "room.added"]


def test_the_list_of_members_is_paged_and_true_at_its_head(
    pairs: Pairs, room: str, embedded: World
) -> None:
    owner = pairs["owner"][0]
    page = owner.get(f"/rooms/{room}/members?limit=3")
    found = page["items"]
    while page["next_cursor"]:
        assert len(page["items"]) == 3
        page = owner.get(f"/rooms/{room}/members?limit=3&cursor={page['next_cursor']}")
        found += page["items"]
    assert page["head"] == owner.get(f"/rooms/{room}")["last_seq"] == 17
    expected = {person.id: (sender(person.user), role) for role, p in pairs.items() for person in p}
    assert {member["user"]["id"]: (member["user"], member["role"]) for member in found} == expected
    assert len(found) == 10
    stranger = Person.register(embedded.server.url, "carol")
    stranger.refused(404, "not_found", "GET", f"/rooms/{room}/members")
    for query in ("limit=0", "limit=201", "cursor=x", "after=1"):
        owner.refused(400, "invalid_request", "GET", f"/rooms/{room}/members?{query}")


def test_nothing_is_written_by_a_member_after_their_removal(alice: Person, bob: Person) -> None:
    room = alice.create_room(bob)["id"]

    def send() -> int:
        return bob.call("POST", f"/rooms/{room}/messages", json={"text": "x"}).status_code

    def remove() -> int:
        return alice.call("DELETE", f"/rooms/{room}/members/{bob.id}").status_code

    removed, *sent = at_once(remove, *[send] * 8)
    sent.append(send())

    types = [event["type"] for event in alice.events(room, after=2)]
    assert types == ["message.created"] * sent.count(201) + ["member.removed"]
    assert (removed, sent[-1], sent.count(201) + sent.count(404)) == (204, 404, 9)
