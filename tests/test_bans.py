"""Bans: who is banned is out at that instant, and comes back neither alone nor with help.

What a naive form does, and fails here: it checks the ban before it has the room's lock, so that
who joins at that moment is in and banned; it tells everybody the reason; it believes that a ban
is over only when a job has said so, or forgets to say so.
"""

import asyncio
import time
from datetime import UTC, datetime, timedelta
from functools import partial
from operator import attrgetter
from typing import Any

import pytest

from accounts.models import User
from api.errors import NotFound, PermissionDenied
from api.log.append import StreamsClosed
from api.log.models import Event, Stream
from api.moderation.bans import ban_person
from api.moderation.lapses import lapse_bans
from api.rooms.actions import create_room
from api.rooms.members import add_member, join_room
from api.rooms.models import Ban, Member
from api.rooms.schemas import CreateRoom
from tests.clients import OF_PROFILES, Person, at_once
from tests.known import Known
from tests.locks import held_until_all_wait, wait_for_locks
from tests.servers import World, one_world

REASON = "he knows why"
NOBODY = "01890000-0000-7000-8000-000000000000"


def shown(person: Person) -> dict[str, Any]:
    return {name: person.user[name] for name in person.user if name not in OF_PROFILES}


def ban(actor: Person, room: str, person: Person, status: int = 201, **body: Any) -> Any:
    return actor.expect(status, "PUT", f"/rooms/{room}/bans/{person.id}", json=body)


def lift(actor: Person, room: str, person: Person) -> None:
    actor.expect(204, "DELETE", f"/rooms/{room}/bans/{person.id}")


def members(person: Person, room: str) -> set[str]:
    return {item["user"]["id"] for item in person.get(f"/rooms/{room}/members")["items"]}


def in_future(**some: float) -> str:
    moment = datetime.now(UTC) + timedelta(**some)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


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
        "user": shown(bob),
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
        "user": shown(bob),
        "until": until,
        "reason": REASON,
        "actor": shown(alice),
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
        assert alice.get(f"/rooms/{room}/bans")["items"][0]["user"] == shown(carol)
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
    outsider = {"user": shown(bob), "role": None, "joined_at": None, "muted_until": None}
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


def join(_: Person, room: str, person: Person) -> None:
    person.expect(200, "POST", f"/rooms/{room}/join")


def test_a_ban_that_is_over_is_told_by_nobody(alice: Person, bob: Person) -> None:
    room = alice.create_room(bob, kind="public")["id"]
    ban(alice, room, bob, until=in_future(seconds=0.3))
    end = time.monotonic() + 20
    while not (told := alice.events(room, after=3)):
        assert time.monotonic() < end
        time.sleep(0.05)
    assert [(event["type"], event["actor_id"]) for event in told] == [("member.unbanned", None)]
    assert alice.get(f"/rooms/{room}/bans")["items"] == []
    bob.expect(200, "POST", f"/rooms/{room}/join")


def people(*names: str) -> list[User]:
    return [User.objects.create(username=name) for name in names]


@pytest.mark.django_db(transaction=True)
def test_a_ban_is_over_before_anything_has_lifted_it() -> None:
    alice, bob, carol = people("alice", "bob", "carol")
    room = create_room(creator_id=alice.id, content=CreateRoom(name="room", kind="public"))
    for person in (bob, carol):
        ban_person(actor_id=alice.id, room_id=room.id, user_id=person.id)
        with pytest.raises(PermissionDenied):
            join_room(user_id=person.id, room_id=room.id)
    Ban.objects.update(until=datetime.now(UTC) - timedelta(milliseconds=1))

    join_room(user_id=bob.id, room_id=room.id)
    add_member(actor_id=alice.id, room_id=room.id, user_id=carol.id)
    lapse_bans(datetime.now(UTC))

    events = Event.objects.filter(stream_id=room.id, seq__gt=3).order_by("seq")
    assert list(events.values_list("type", "actor_id", "subject_id")) == [
        ("member.unbanned", None, bob.id),
        ("member.joined", bob.id, bob.id),
        ("member.unbanned", None, carol.id),
        ("member.joined", alice.id, carol.id),
    ]
    assert Member.objects.filter(room=room).count() == 3
    assert not Ban.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_what_is_over_is_lifted_once_by_two_at_once_and_not_in_deleted_rooms() -> None:
    alice, bob = people("alice", "bob")
    rooms = [
        create_room(creator_id=alice.id, content=CreateRoom(name="room", kind="private"))
        for _ in range(2)
    ]
    for room in rooms:
        ban_person(actor_id=alice.id, room_id=room.id, user_id=bob.id)
    rooms[1].deleted_at = datetime.now(UTC)
    rooms[1].save()
    Ban.objects.update(until=datetime.now(UTC))

    at_once(*[partial(lapse_bans, datetime.now(UTC))] * 3)

    lifted = Event.objects.filter(type="member.unbanned")
    assert list(lifted.values_list("stream_id", flat=True)) == [rooms[0].id]
    with pytest.raises(NotFound):
        join_room(user_id=bob.id, room_id=rooms[1].id)


@pytest.mark.django_db(transaction=True)
def test_a_room_in_which_nothing_can_be_lifted_keeps_no_other_waiting() -> None:
    alice, bob = people("alice", "bob")
    content = CreateRoom(name="room", kind="private")
    broken, whole = sorted(
        (create_room(creator_id=alice.id, content=content) for _ in range(2)),
        key=attrgetter("id"),
    )
    for room in (broken, whole):
        ban_person(actor_id=alice.id, room_id=room.id, user_id=bob.id)
    Stream.objects.filter(pk=broken.id).update(closed_at=datetime.now(UTC))
    Ban.objects.update(until=datetime.now(UTC))
    with pytest.raises(ExceptionGroup) as failed:
        lapse_bans(datetime.now(UTC))
    assert [type(error) for error in failed.value.exceptions] == [StreamsClosed]
    assert [ban.room_id for ban in Ban.objects.all()] == [broken.id]


async def test_of_those_who_lift_a_ban_that_is_over_at_once_one_does(clustered: World) -> None:
    alice, bob = (Person.register(clustered.server.url, name) for name in ("alice", "bob"))
    room = alice.create_room(bob, kind="public")["id"]
    ban(alice, room, bob, until=in_future(seconds=0.5))
    with held_until_all_wait(clustered, room) as watcher:
        others = [
            asyncio.create_task(asyncio.to_thread(clustered.manage, "upkeep")) for _ in range(2)
        ]
        await asyncio.to_thread(wait_for_locks, watcher, 2)
    assert [done.returncode for done in await asyncio.gather(*others)] == [0, 0]
    assert [event["type"] for event in alice.events(room, after=3)] == ["member.unbanned"]


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
