"""Bans that are over: nobody is kept out by one, and it is lifted once, by whoever comes first.

Naive form: a ban is over only when a job has said so, or each process that looks says so.
"""

import asyncio
import time
from datetime import UTC, datetime, timedelta
from functools import partial
from operator import attrgetter

import pytest

from api.errors import NotFound, PermissionDenied
from api.log.append import StreamsClosed
from api.log.models import Event, Stream
from api.moderation.bans import ban_person
from api.moderation.lapses import lapse_bans
from api.rooms.actions import create_room
from api.rooms.members import add_member, join_room
from api.rooms.models import Ban, Member
from api.rooms.schemas import CreateRoom
from tests.clients import Person, at_once
from tests.locks import held_until_all_wait, wait_for_locks
from tests.moderating import ban, in_future, people
from tests.record import change, in_seconds
from tests.servers import World


def test_a_ban_that_is_over_is_told_by_nobody(alice: Person, bob: Person) -> None:
    room = alice.create_room(bob, kind="public")["id"]
    ban(alice, room, bob, until=in_future(seconds=6))
    end = time.monotonic() + 60
    while not (told := alice.events(room, after=3)):
        assert time.monotonic() < end
        time.sleep(0.05)
    assert [(event["type"], event["actor_id"]) for event in told] == [("member.unbanned", None)]
    assert alice.get(f"/rooms/{room}/bans")["items"] == []
    bob.expect(200, "POST", f"/rooms/{room}/join")


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
    ban(alice, room, bob)
    with held_until_all_wait(clustered, room) as watcher:
        change(clustered, "UPDATE api_ban SET until = %s WHERE room_id = %s", in_seconds(-1), room)
        others = [
            asyncio.create_task(asyncio.to_thread(clustered.manage, "upkeep")) for _ in range(2)
        ]
        await asyncio.to_thread(wait_for_locks, watcher, 2)
    assert [done.returncode for done in await asyncio.gather(*others)] == [0, 0]
    assert [event["type"] for event in alice.events(room, after=3)] == ["member.unbanned"]
