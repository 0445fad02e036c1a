"""One round of who is here, step by step: what sockets do while the database is asked."""

import asyncio
import json
import uuid
from collections.abc import Callable
from typing import Any

import pytest
import pytest_asyncio
from django.db import OperationalError, connection
from django.test.utils import CaptureQueriesContext
from typing_extensions import override

from accounts import presence as written
from accounts.models import User
from accounts.presence import Seen
from accounts.schemas import Choice, Person
from api import access
from api.errors import NotFound
from api.log.frames import EventFrame
from api.log.frames import frame as make_frame
from api.rooms.actions import create_room
from api.rooms.schemas import CreateRoom
from realtime import pool
from realtime import presence as module
from realtime.connection import Connection
from realtime.feed import Deliver
from realtime.hub import Hub
from realtime.presence import Presence
from realtime.subscription import Subscription

SECONDS = 30.0  # the deadline of a wait
ROOM, ALICE, BOB, CAROL = (str(uuid.uuid4()) for _ in range(4))


async def send(_: Any) -> None:
    """Send nothing anywhere."""


class Listener(Connection):
    """A socket that notes what it is offered."""

    def __init__(self, user: str) -> None:
        super().__init__(send)
        self.user_id = user
        self.frames: list[dict[str, Any]] = []

    @override
    def offer(self, frame: Any) -> bool:
        self.frames.append(json.loads(frame.text))
        return True

    def told(self) -> list[tuple[list[str], int]]:
        """Return of whom it was told, with the number, and forget it."""
        found = [
            ([item["user"]["id"] for item in frame["items"]], frame["count"])
            for frame in self.frames
        ]
        self.frames.clear()
        return found


class World:
    """A hub without a channel layer, and a database that can be made to take its time."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.hub = Hub()
        self.presence = Presence(self.hub)
        self.hub.followers = [self.presence]
        self.meanwhile: Callable[[], None] = lambda: None
        self.away = False
        self.noting, self.noted = asyncio.Event(), asyncio.Queue[list[uuid.UUID]]()
        self.noting.set()
        self.choices: dict[uuid.UUID, Choice] = {}
        self.choosing: Callable[[], None] = lambda: None
        monkeypatch.setattr(pool, "run_for_all", self.answer)

    async def answer(self, asked: Any, *arguments: Any) -> Any:
        if asked is written.choices_of:
            if self.away:
                raise OperationalError
            found = dict(self.choices)
            self.choosing()
            return found
        if asked is written.note_seen:
            await self.noting.wait()
            self.noted.put_nowait(arguments[0])
            return None
        if asked is written.seen:
            self.meanwhile()
            return {
                user: Seen(Person(user, "name", "Name", False, 1), None) for user in arguments[0]
            }
        return {room: {ALICE, BOB} for room in arguments[0]}

    def open(self, user: str) -> Listener:
        listener = Listener(user)
        self.presence.opened(listener)
        return listener

    def subscribe(self, listener: Listener, room: str = ROOM) -> None:
        self.hub.detach(listener, room)
        subscription = Subscription(room, 0, granted=0, ephemeral=True)
        self.hub.attach(listener, subscription, 0)

    async def round(self) -> None:
        await self.presence._round()


@pytest_asyncio.fixture
async def world(monkeypatch: pytest.MonkeyPatch) -> World:
    """A world, on the loop of the test."""
    return World(monkeypatch)


async def test_who_subscribes_anew_meanwhile_is_told_all_of_it_and_nothing_else(
    world: World,
) -> None:
    alice, bob = world.open(ALICE), world.open(BOB)
    world.subscribe(alice)
    everybody = [(sorted([ALICE, BOB]), 2)]
    world.meanwhile = lambda: world.subscribe(alice)
    await world.round()  # nobody listened for a moment: who is in the room is not known any more
    assert alice.told() == []
    world.meanwhile = lambda: None
    await world.round()
    assert alice.told() == everybody
    world.presence.in_front(bob, active=False)
    world.meanwhile = lambda: world.subscribe(alice)
    await world.round()
    assert alice.told() == []
    world.meanwhile = lambda: None
    await world.round()
    assert alice.told() == everybody


async def test_who_is_new_is_told_no_change_before_all_who_are_here(world: World) -> None:
    alice, bob = world.open(ALICE), world.open(BOB)
    world.subscribe(bob)
    await world.round()
    assert bob.told() == [(sorted([ALICE, BOB]), 2)]
    world.presence.in_front(bob, active=False)
    world.meanwhile = lambda: world.subscribe(alice)
    await world.round()
    assert (alice.told(), bob.told()) == ([], [([BOB], 2)])
    await world.round()
    assert (alice.told(), bob.told()) == ([(sorted([ALICE, BOB]), 2)], [])


async def test_who_is_new_is_told_once_what_changes_in_the_same_round(world: World) -> None:
    bob = world.open(BOB)
    world.subscribe(bob)
    await world.round()
    assert bob.told() == [([BOB], 1)]
    alice = world.open(ALICE)
    world.subscribe(alice)
    await world.round()
    assert (alice.told(), bob.told()) == ([(sorted([ALICE, BOB]), 2)], [([ALICE], 2)])


async def test_who_could_not_be_seen_yet_is_told_once_that_they_are(world: World) -> None:
    alice = world.open(ALICE)
    world.subscribe(alice)
    world.away = True
    await world.round()  # who is in the room is known now, and not yet how Alice wants to be seen
    assert alice.told() == []
    world.away = False
    await world.round()
    assert alice.told() == [([ALICE], 1)]


async def test_who_chooses_to_be_invisible_while_it_is_looked_up_is_never_seen(
    world: World,
) -> None:
    frame = EventFrame(
        type="presence.updated", stream=uuid.UUID(BOB), seq=1, at="", actor_id=None, data={}
    )
    told = Deliver(0, 1, [make_frame(frame)])
    alice, _ = world.open(ALICE), world.open(BOB)
    world.subscribe(alice)

    def choose() -> None:
        world.choices[uuid.UUID(BOB)] = "invisible"
        world.presence.news(BOB, told)
        world.choosing = lambda: None

    world.choosing = choose
    for _ in range(3):
        await world.round()
    assert alice.told() == [([ALICE], 1)]
    assert world.presence.status(BOB) is None


async def test_without_a_database_who_goes_is_told_of_and_who_comes_waits(world: World) -> None:
    alice, bob = world.open(ALICE), world.open(BOB)
    world.subscribe(alice)
    await world.round()
    assert alice.told() == [(sorted([ALICE, BOB]), 2)]
    world.away = True
    world.open(CAROL)
    world.presence.ended(bob, clean=True)
    await world.round()
    assert alice.told() == [([BOB], 1)]
    world.away = False
    await world.round()
    assert world.presence.status(CAROL) == "online"


async def test_nobody_waits_until_all_are_noted_who_are_here(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "SEEN_SECONDS", 0.0)
    world.noting.clear()
    alice = world.open(ALICE)
    world.subscribe(alice)
    async with asyncio.timeout(SECONDS):
        for _ in range(3):
            await world.round()
    assert alice.told() == [([ALICE], 1)]
    world.noting.set()
    async with asyncio.timeout(SECONDS):
        assert await world.noted.get() == [uuid.UUID(ALICE)]


async def test_between_the_frames_of_many_rooms_others_have_their_turn(world: World) -> None:
    alice, rooms = world.open(ALICE), [str(uuid.uuid4()) for _ in range(20)]
    for room in rooms:
        world.subscribe(alice, room)
    seen: set[int] = set()

    async def look() -> None:
        while True:
            seen.add(len(alice.frames))
            await asyncio.sleep(0)

    looking = asyncio.create_task(look())
    await world.round()
    assert seen >= set(range(1, 21))
    assert sorted(frame["room_id"] for frame in alice.frames) == sorted(rooms)
    world.open(BOB)
    alice.frames.clear()
    seen.clear()
    await world.round()
    looking.cancel()
    assert seen >= set(range(1, 21))


@pytest.mark.django_db(transaction=True)
def test_of_a_large_room_only_those_are_looked_for_who_are_here() -> None:
    names = ("alice", "bob", "carol", "dave")
    users = User.objects.bulk_create([User(username=name, skeleton=name) for name in names])
    alice, bob, carol, stranger = (user.id for user in users)
    content = CreateRoom(name="room", kind="private", member_ids=[bob, carol])
    room = create_room(creator_id=alice, content=content).id
    assert access.people_for_member(room, alice, at_most=3) == {alice, bob, carol}
    with CaptureQueriesContext(connection) as captured:
        assert access.people_for_member(room, alice, at_most=2) is None
        assert access.count_among(room, [alice, bob, stranger]) == 2
        assert access.count_among(room, []) == 0
    assert len(captured) == 2
    with pytest.raises(NotFound):
        access.people_for_member(room, stranger, at_most=2)
