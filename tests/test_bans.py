"""Bans: who is banned is out at that instant, and comes back neither alone nor with help.

What a naive form does, and fails here: it checks the ban before it has the room's lock, so that
who joins at that moment is in and banned; it tells everybody the reason.
"""

import asyncio
from functools import partial
from typing import Any

import pytest

from tests.clients import Person, at_once, sender
from tests.known import Known
from tests.locks import held_until_all_wait, wait_for_locks
from tests.moderating import ban, in_future, join, lift, members
from tests.servers import World, one_world

REASON = "he knows why"
NOBODY = "01890000-0000-7000-8000-000000000000"


async def test_who_is_banned_sees_nothing_from_the_same_instant(alice: Person, bob: Person) -> None:
    room = alice.create_room(bob)["id"]
    async with alice.socket() as hers, bob.socket() as his:
        for socket in (hers, his):
            await socket.opened()
            await socket.subscribe(room)

        until = in_future(days=1)
        made = ban(alice, room, bob, until=until, reason=REASON)
        alice.send(room, "not for him")

        frames = [await his.receive() for _ in range(3)]
        assert (await his.ask("ping"))["type"] == "pong"
        told = {frame["type"]: frame for frame in frames}
        heard = await hers.until("member.banned")
    gone = told["member.banned"]
    assert gone == heard == alice.events(room)[2]
    assert (gone["seq"], gone["actor_id"]) == (3, alice.id)
    joined_at = alice.events(room)[1]["data"]["joined_at"]
    assert gone["data"] == {
        "user": sender(bob.user),
        "role": None,
        "joined_at": joined_at,
        "muted_until": None,
    }
    assert told["unsubscribed"] == {"type": "unsubscribed", "stream": room, "reason": "banned"}
    assert told["room.removed"]["data"] == {"room_id": room, "seq": 3, "reason": "banned"}
    assert "not for him" not in str(his.events)
    for path in ("", "/messages", "/events", "/members"):
        bob.refused(404, "not_found", "GET", f"/rooms/{room}{path}")
    assert made == {
        "user": sender(bob.user),
        "until": until,
        "reason": REASON,
        "actor": sender(alice.user),
        "created_at": gone["at"],
    }
    assert alice.get(f"/rooms/{room}/bans") == {"items": [made], "next_cursor": None}
    assert REASON not in str([alice.events(room), bob.events(bob.id), hers.events])


def test_who_is_banned_comes_back_neither_alone_nor_with_help(
    alice: Person, bob: Person, carol: Person
) -> None:
    rooms = [alice.create_room(bob, kind=kind)["id"] for kind in ("public", "private")]
    refusals = [(403, "permission_denied"), (404, "not_found")]
    for room, refusal in zip(rooms, refusals, strict=True):
        ban(alice, room, bob)
        ban(alice, room, carol)  # who has never been there
        for person in (bob, carol):
            person.refused(*refusal, "POST", f"/rooms/{room}/join")
            path = f"/rooms/{room}/members/{person.id}"
            alice.refused(403, "permission_denied", "PUT", path, json={})
        assert members(alice, room) == {alice.id}
    listed = bob.get("/rooms", params={"scope": "public", "limit": "200"})["items"]
    assert rooms[0] not in [room["id"] for room in listed]

    for room in rooms:
        lift(alice, room, bob)
        assert alice.get(f"/rooms/{room}/bans")["items"][0]["user"] == sender(carol.user)
    bob.expect(200, "POST", f"/rooms/{rooms[0]}/join")
    alice.expect(201, "PUT", f"/rooms/{rooms[1]}/members/{bob.id}", json={})
    told = [(event["type"], event["actor_id"]) for event in alice.events(rooms[0], after=2)]
    assert told == [
        ("member.banned", alice.id),
        ("member.banned", alice.id),
        ("member.unbanned", alice.id),
        ("member.joined", bob.id),
    ]


@one_world
def test_what_changes_nothing_is_no_event_and_what_changes_is(alice: Person, bob: Person) -> None:
    room = alice.create_room()["id"]
    lift(alice, room, bob)
    until = in_future(days=2)
    first = ban(alice, room, bob, until=until, reason="why")
    assert ban(alice, room, bob, 200, until=until, reason="why") == first
    other = ban(alice, room, bob, 200)
    assert (other["until"], other["reason"]) == (None, None)
    lift(alice, room, bob)
    lift(alice, room, bob)
    events = alice.events(room, after=1)
    assert [event["type"] for event in events] == [
        *("member.banned", "member.banned", "member.unbanned")
    ]
    outsider = {"user": sender(bob.user), "role": None, "joined_at": None, "muted_until": None}
    assert [event["data"] for event in events] == [outsider] * 3
    assert bob.events(bob.id) == []


@one_world
@pytest.mark.parametrize(
    "until",
    [
        *("2020-01-01T00:00:00Z", "9999-01-01T00:00:00Z", "9999-12-31T23:59:59-23:59"),
        *("0001-01-01T00:00:00+23:59", "2030-01-01T00:00:00", "tomorrow", 17, ""),
    ],
)
def test_a_ban_ends_at_a_time_to_come(alice: Person, bob: Person, until: Any) -> None:
    room = alice.create_room(bob)["id"]
    for noun in ("bans", "mutes"):
        path = f"/rooms/{room}/{noun}/{bob.id}"
        problem = alice.refused(400, "invalid_request", "PUT", path, json={"until": until})
        assert [error["pointer"] for error in problem["errors"]] == ["/until"]
    assert members(alice, room) == {alice.id, bob.id}


@one_world
def test_bans_are_refused_where_nothing_changes(alice: Person, bob: Person, carol: Person) -> None:
    room = alice.create_room(bob)["id"]
    alice.refused(404, "not_found", "PUT", f"/rooms/{room}/bans/{NOBODY}")
    long = {"reason": "x" * 501}
    alice.refused(400, "invalid_request", "PUT", f"/rooms/{room}/bans/{bob.id}", json=long)
    ban(alice, room, carol)
    alice.expect(200, "PATCH", f"/rooms/{room}", json={"archived": True})
    for method, person in (("PUT", bob), ("DELETE", carol)):
        alice.refused(409, "room_archived", method, f"/rooms/{room}/bans/{person.id}")
    body = {"user_ids": [bob.id]}
    direct = alice.expect(201, "POST", "/rooms/direct", json=body)["id"]
    alice.refused(403, "permission_denied", "PUT", f"/rooms/{direct}/bans/{bob.id}")


def test_who_joins_while_they_are_banned_is_out(alice: Person, bob: Person) -> None:
    for _ in range(5):
        room = alice.create_room(kind="public")["id"]
        join = partial(bob.call, "POST", f"/rooms/{room}/join")
        banned, *joined = at_once(
            partial(alice.call, "PUT", f"/rooms/{room}/bans/{bob.id}"), join, join
        )
        assert banned.status_code == 201
        assert {answer.status_code for answer in joined} <= {200, 403}
        assert members(alice, room) == {alice.id}
        types = [event["type"] for event in alice.events(room, after=1)]
        assert types in (["member.banned"], ["member.joined", "member.banned"])
        assert alice.get(f"/rooms/{room}")["member_count"] == 1


def test_who_is_added_while_they_are_banned_is_out(alice: Person, bob: Person) -> None:
    for _ in range(5):
        room = alice.create_room()["id"]
        banned, added = at_once(
            partial(alice.call, "PUT", f"/rooms/{room}/bans/{bob.id}"),
            partial(alice.call, "PUT", f"/rooms/{room}/members/{bob.id}", json={}),
        )
        assert (banned.status_code, added.status_code) in ((201, 201), (201, 403))
        assert members(alice, room) == {alice.id}


async def test_nothing_is_written_by_or_told_to_who_is_banned_after_it(
    alice: Person, bob: Person
) -> None:
    room = alice.create_room(bob)["id"]
    async with bob.socket() as his:
        await his.opened()
        await his.subscribe(room)
        send = partial(bob.call, "POST", f"/rooms/{room}/messages", json={"text": "x"})
        talk = partial(alice.call, "POST", f"/rooms/{room}/messages", json={"text": "y"})
        put_out = partial(alice.call, "PUT", f"/rooms/{room}/bans/{bob.id}")
        banned, *sent = at_once(put_out, *[send, talk] * 4)
        await his.until("unsubscribed")
        assert (await his.ask("ping"))["type"] == "pong"
    events = alice.events(room, after=2)
    (place,) = [n for n, event in enumerate(events) if event["type"] == "member.banned"]
    assert {event["actor_id"] for event in events[place + 1 :]} <= {alice.id}
    assert his.of(room) == events[: place + 1]
    assert banned.status_code == 201
    assert {answer.status_code for answer in sent} <= {201, 404}


def test_state_and_events_of_bans_make_the_next_state(alice: Person, bob: Person) -> None:
    room = alice.create_room(bob, kind="public")["id"]

    def fresh() -> Known:
        known = Known()
        for member in alice.get(f"/rooms/{room}/members")["items"]:
            known.take_member(member)
        return known

    for act in (ban, lift, join, ban):
        before, head = fresh(), alice.get(f"/rooms/{room}")["last_seq"]
        act(alice, room, bob)
        events = alice.events(room, after=head)
        assert len(events) == 1
        for _ in range(2):
            assert before.apply(events).members == fresh().members


@pytest.mark.parametrize("first", ["ban", "join"])
async def test_who_is_banned_while_they_wait_to_join_is_out(clustered: World, first: str) -> None:
    alice, bob = (Person.register(clustered.server.url, name) for name in ("alice", "bob"))
    room = alice.create_room(kind="public")["id"]
    acts = [
        partial(alice.call, "PUT", f"/rooms/{room}/bans/{bob.id}"),
        partial(bob.call, "POST", f"/rooms/{room}/join"),
    ]
    with held_until_all_wait(clustered, room) as watcher:
        waiting = []
        for act in acts if first == "ban" else reversed(acts):
            waiting.append(asyncio.create_task(asyncio.to_thread(act)))
            await asyncio.to_thread(wait_for_locks, watcher, len(waiting))
    answers = [answer.status_code for answer in await asyncio.gather(*waiting)]
    types = [event["type"] for event in alice.events(room, after=1)]
    if first == "ban":
        assert (answers, types) == ([201, 403], ["member.banned"])
    else:
        assert (answers, types) == ([200, 201], ["member.joined", "member.banned"])
    assert members(alice, room) == {alice.id}
