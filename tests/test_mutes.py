"""Mutes, slow mode, freezing: who may not write reads on, at both doors, for as long as it lasts.

What a naive form does, and fails here: leaving and coming back ends a mute; edits are left out;
a mute is over only when a job has said so.
"""

import time
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from api.log.models import Event
from api.moderation.lapses import lapse_mutes
from api.moderation.mutes import mute_member
from api.rooms.actions import create_room
from api.rooms.models import Mute
from api.rooms.schemas import CreateRoom
from tests.clients import Person, sender
from tests.known import Known
from tests.moderating import ban, in_future, join, lift, members, people
from tests.servers import one_world

FOREVER = "9999-01-01T00:00:00.000Z"


def mute(actor: Person, room: str, person: Person, **body: Any) -> Any:
    return actor.expect(200, "PUT", f"/rooms/{room}/mutes/{person.id}", json=body)


def unmute(actor: Person, room: str, person: Person) -> None:
    actor.expect(204, "DELETE", f"/rooms/{room}/mutes/{person.id}")


async def check_writes(person: Person, room: str, said: str, code: str | None) -> None:
    """See what becomes of a send and of an edit, at both doors."""
    text = {"text": f"word {time.monotonic_ns()}"}
    found = [
        person.call("POST", f"/rooms/{room}/messages", json=text).json().get("code"),
        person.call("PATCH", f"/messages/{said}", json=text).json().get("code"),
    ]
    async with person.socket() as socket:
        await socket.opened()
        text = {"text": f"word {time.monotonic_ns()}"}
        for command, about in (
            ("message.send", {"room_id": room}),
            ("message.edit", {"message_id": said}),
        ):
            found.append((await socket.ask(command, **about, **text)).get("code"))
    assert found == [code] * 4


async def test_who_is_muted_reads_on_and_writes_nothing(alice: Person, bob: Person) -> None:
    room = alice.create_room(bob)["id"]
    said = bob.send(room)["id"]
    async with bob.socket() as his:
        await his.opened()
        await his.subscribe(room)
        until = in_future(days=1)
        member = mute(alice, room, bob, until=until)
        told = await his.until("member.muted")
        await check_writes(bob, room, said, "muted")
        unmute(alice, room, bob)
        untold = await his.until("member.unmuted")
        await check_writes(bob, room, said, None)
    joined_at = alice.events(room)[1]["data"]["joined_at"]
    as_member = {"user": sender(bob.user), "role": "member", "joined_at": joined_at}
    assert member == told["data"] == as_member | {"muted_until": until}
    assert untold["data"] == as_member | {"muted_until": None}
    assert [told, untold] == alice.events(room, after=3)[:2]
    assert (told["actor_id"], untold["actor_id"]) == (alice.id, alice.id)


def test_state_and_events_of_mutes_make_the_next_state(alice: Person, bob: Person) -> None:
    room = alice.create_room(bob)["id"]

    def fresh() -> Known:
        known = Known()
        for member in alice.get(f"/rooms/{room}/members")["items"]:
            known.take_member(member)
        return known

    def mute_until(actor: Person, room: str, person: Person) -> None:
        mute(actor, room, person, until=in_future(days=1))

    for act in (mute, mute_until, unmute):
        before, head = fresh(), alice.get(f"/rooms/{room}")["last_seq"]
        act(alice, room, bob)
        events = alice.events(room, after=head)
        assert len(events) == 1
        for _ in range(2):
            assert before.apply(events).members == fresh().members


@one_world
def test_what_changes_nothing_is_no_event(alice: Person, bob: Person, carol: Person) -> None:
    room = alice.create_room(bob)["id"]
    unmute(alice, room, bob)
    assert mute(alice, room, bob)["muted_until"] == FOREVER
    mute(alice, room, bob)
    (item,) = alice.get(f"/rooms/{room}/mutes")["items"]
    told = alice.events(room, after=2)
    assert item == {
        "user": sender(bob.user),
        "until": None,
        "actor": sender(alice.user),
        "created_at": told[0]["at"],
    }
    unmute(alice, room, bob)
    unmute(alice, room, carol)
    types = [event["type"] for event in alice.events(room, after=2)]
    assert types == ["member.muted", "member.unmuted"]
    assert alice.get(f"/rooms/{room}/mutes")["items"] == []
    alice.refused(404, "not_found", "PUT", f"/rooms/{room}/mutes/{carol.id}")
    alice.expect(200, "PATCH", f"/rooms/{room}", json={"archived": True})
    alice.refused(409, "room_archived", "PUT", f"/rooms/{room}/mutes/{bob.id}")
    direct = alice.expect(201, "POST", "/rooms/direct", json={"user_ids": [bob.id]})["id"]
    alice.refused(403, "permission_denied", "PUT", f"/rooms/{direct}/mutes/{bob.id}")


def test_a_mute_stays_whoever_leaves_or_is_banned_and_comes_back(
    alice: Person, bob: Person
) -> None:
    room = alice.create_room(bob, kind="public")["id"]
    mute(alice, room, bob)

    def leave(_: Person, room: str, person: Person) -> None:
        person.expect(204, "POST", f"/rooms/{room}/leave")

    def put_out(actor: Person, room: str, person: Person) -> None:
        ban(actor, room, person)
        lift(actor, room, person)

    for go in (leave, put_out):
        go(alice, room, bob)
        assert bob.id not in members(alice, room)
        assert alice.get(f"/rooms/{room}/mutes")["items"][0]["user"] == sender(bob.user)
        join(alice, room, bob)
        assert alice.events(room)[-1]["data"]["muted_until"] == FOREVER
        bob.refused(403, "muted", "POST", f"/rooms/{room}/messages", json={"text": "x"})
    leave(alice, room, bob)
    unmute(alice, room, bob)
    join(alice, room, bob)
    bob.send(room)


def test_a_mute_that_is_over_is_told_by_nobody(alice: Person, bob: Person) -> None:
    room = alice.create_room(bob)["id"]
    mute(alice, room, bob, until=in_future(seconds=6))
    end = time.monotonic() + 60
    while not (told := alice.events(room, after=3)):
        assert time.monotonic() < end
        time.sleep(0.05)
    assert [(event["type"], event["actor_id"]) for event in told] == [("member.unmuted", None)]
    assert told[0]["data"]["muted_until"] is None
    (his,) = [m for m in alice.get(f"/rooms/{room}/members")["items"] if m["user"]["id"] == bob.id]
    assert his["muted_until"] is None
    assert alice.get(f"/rooms/{room}/mutes")["items"] == []
    bob.send(room)


@pytest.mark.django_db(transaction=True)
def test_of_many_mutes_that_are_over_each_is_lifted_once() -> None:
    alice, *others = people("alice", *(f"other{n}" for n in range(3)))
    ids = [other.id for other in others]
    content = CreateRoom(name="room", kind="private", member_ids=ids)
    room = create_room(creator_id=alice.id, content=content)
    for user_id in ids:
        mute_member(actor_id=alice.id, room_id=room.id, user_id=user_id)
    over = datetime.now(UTC)
    Mute.objects.filter(user_id__in=ids[:2]).update(until=over)
    lapse_mutes(over - timedelta(seconds=1))
    assert Mute.objects.count() == 3
    for _ in range(2):
        lapse_mutes(over)
    lifted = Event.objects.filter(type="member.unmuted").values_list("subject_id", flat=True)
    assert set(lifted) == set(ids[:2])
    assert len(lifted) == 2
    assert [mute.user_id for mute in Mute.objects.all()] == ids[2:]


@one_world
@pytest.mark.parametrize("role", ["moderator", "admin", "owner", "member"])
async def test_moderators_write_in_a_frozen_room_and_members_do_not(
    alice: Person, bob: Person, role: str
) -> None:
    room = alice.create_room(bob)["id"]
    said = bob.send(room)["id"]
    alice.expect(200, "PATCH", f"/rooms/{room}/members/{bob.id}", json={"role": role})
    alice.expect(200, "PATCH", f"/rooms/{room}", json={"frozen": True})
    await check_writes(bob, room, said, "permission_denied" if role == "member" else None)


@one_world
@pytest.mark.parametrize("role", ["moderator", "admin", "owner", "member"])
async def test_slow_mode_slows_members_down_at_both_doors_and_nobody_above(
    alice: Person, bob: Person, role: str
) -> None:
    room = alice.create_room(bob)["id"]
    alice.expect(200, "PATCH", f"/rooms/{room}/members/{bob.id}", json={"role": role})
    alice.expect(200, "PATCH", f"/rooms/{room}", json={"slow_mode_seconds": 3600})
    bob.send(room)
    again = bob.call("POST", f"/rooms/{room}/messages", json={"text": "again"})
    async with bob.socket() as his:
        await his.opened()
        reply = await his.ask("message.send", room_id=room, text="again")
    if role == "member":
        problem = again.json()
        assert (again.status_code, problem["code"], problem["retryable"]) == (
            *(429, "slow_mode"),
            True,
        )
        assert 3590 <= problem["retry_after"] <= 3600
        assert int(again.headers["Retry-After"]) == problem["retry_after"]
        assert (reply["code"], reply["retryable"]) == ("slow_mode", True)
    else:
        assert (again.status_code, reply["type"]) == (201, "ok")
