"""Promise P10: who is removed sees nothing above the removal until they are let in again.

Members of several rooms are removed and added at random, at two processes, while all talk,
read and subscribe anew. The log says afterwards who was in at which number. A naive service
checks membership and reads the head, the page or the news in two steps: between them somebody
is removed, and something is said.
"""

import asyncio
import contextlib
import itertools
import math
import os
import random
import time
from contextlib import AsyncExitStack
from typing import Any

import httpx

from tests.clients import Person
from tests.listeners import Listener
from tests.servers import World

ROOMS, PEOPLE = 8, 6
LOAD_SECONDS = float(os.environ.get("SOAK_SECONDS", "25"))  # `make soak` goes on for longer
MESSAGES_PER_SECOND = 50
LOOKS_PER_SECOND = 30
PAGES = ("messages?limit=1", "messages?around=9&limit=1", "events?limit=1")
REMOVALS_MIN = 8 * LOAD_SECONDS  # fewer show nothing; twice as many are the rule
CAUGHT_UP_SECONDS = 60.0
ANSWERED_SECONDS = 180.0

Events = list[dict[str, Any]]
Spell = tuple[int, float]  # from this number of the room on a member, up to that one


class Load:
    """What goes on at the same time."""

    def __init__(self, world: World, rooms: list[str], owner: Person, all_of: list[Listener]):
        self.urls = [world.server.url, world.other.url]
        self.rooms, self.owner, self.listeners = rooms, owner, all_of
        self.removals = 0
        self._begun = time.monotonic()
        self.http = httpx.AsyncClient(timeout=120)

    @property
    def over(self) -> bool:
        """Whether it has gone on for long enough, and has shown something."""
        lasted = time.monotonic() - self._begun
        return lasted > LOAD_SECONDS and self.removals >= REMOVALS_MIN

    async def run(self) -> None:
        """Let it go on until the time is over and everything asked for is answered."""
        async with self.http, asyncio.timeout(10 * LOAD_SECONDS):
            await asyncio.gather(self._talk(), self._look(), *map(self._come_and_go, self.rooms))
        async with asyncio.timeout(ANSWERED_SECONDS):
            await asyncio.gather(*(listener.answered() for listener in self.listeners))

    async def request(self, person: Person, method: str, path: str, **more: Any) -> httpx.Response:
        """Make a request at one of the servers."""
        headers = {"Authorization": f"Bearer {person.tokens['access']}"}
        url = f"{random.choice(self.urls)}/api/v1{path}"
        return await self.http.request(method, url, headers=headers, **more)

    async def _come_and_go(self, room: str) -> None:
        """Remove somebody, or let somebody in who is out, at random."""
        out: list[Listener] = []
        while not self.over or out:
            within = [one for one in self.listeners if one not in out]
            leaving = not self.over and random.random() < len(within) / PEOPLE
            who = random.choice(within if leaving else out)
            path = f"/rooms/{room}/members/{who.person.id}"
            if leaving:
                answer = await self.request(self.owner, "DELETE", path)
                self.removals += 1
                out.append(who)
            else:
                answer = await self.request(self.owner, "PUT", path, json={})
                out.remove(who)
            assert answer.is_success, answer.text

    async def _talk(self) -> None:
        while not self.over:
            who, room = random.choice(self.listeners), random.choice(self.rooms)
            await who.command("message.send", room_id=room, text="said")
            if room in who.said:
                text = f"changed at {time.monotonic()}"
                await who.command("message.edit", message_id=who.said[room], text=text)
            if random.random() < 0.1:
                await random.choice(self.listeners).subscribe(room, since=0)
            await asyncio.sleep(1 / MESSAGES_PER_SECOND)

    async def _look(self) -> None:
        """Read over REST and over the socket; write down what was shown at which head."""
        while not self.over:
            who, room = random.choice(self.listeners), random.choice(self.rooms)
            await who.look(room)
            answer = await self.request(who.person, "GET", f"/rooms/{room}/{random.choice(PAGES)}")
            if answer.status_code == 200:
                who.pages.append((room, answer.json()["head"]))
            else:
                assert answer.status_code == 404, answer.text
            await asyncio.sleep(1 / LOOKS_PER_SECOND)


def log_of(owner: Person, room: str) -> Events:
    """Return everything that happened in a room."""
    found: Events = []
    while page := owner.events(room, after=len(found)):
        found += page
    return found


def spells_of(person: Person, log: Events) -> list[Spell]:
    """Return when a person was in a room."""
    turns = [
        event["seq"]
        for event in log
        if event["type"] in ("member.joined", "member.removed")
        and event["data"]["user"]["id"] == person.id
    ]
    return list(itertools.zip_longest(turns[::2], turns[1::2], fillvalue=math.inf))  # type: ignore[arg-type]


def spell_at(spells: list[Spell], seq: int) -> Spell | None:
    """Return the membership that was true at a number."""
    return next((spell for spell in spells if spell[0] <= seq < spell[1]), None)


def faults(listener: Listener, room: str, log: Events) -> list[str]:
    """Return what this client has been given that was not theirs."""
    spells = spells_of(listener.person, log)
    found = []
    for granted in listener.granted[room]:
        spell = spell_at(spells, granted.head)
        if spell is None:
            found.append(f"subscribed at {granted.head} while out")
        elif granted.told > spell[1]:
            found.append(f"told of {granted.told}, removed at {spell[1]}")
    for shown, head in listener.pages:
        if shown == room and spell_at(spells, head) is None:
            found.append(f"shown a page at {head} while out")
    for event in log:
        said = event["type"] == "message.created" and event["actor_id"] == listener.person.id
        if said and spell_at(spells, event["seq"]) is None:
            found.append(f"said {event['seq']} while out")
    return found


async def test_who_is_removed_again_and_again_sees_nothing_above_any_removal(
    clustered: World,
) -> None:
    owner = Person.register(clustered.server.url, "alice")
    people = [Person.register(clustered.server.url, "bob") for _ in range(PEOPLE)]
    rooms = [owner.create_room(*people)["id"] for _ in range(ROOMS)]
    async with AsyncExitStack() as stack:
        servers = itertools.cycle([clustered.server.url, clustered.other.url])
        listeners = [Listener(person, next(servers)) for person in people]
        for listener in listeners:
            await stack.enter_async_context(listener)
            for room in rooms:
                await listener.subscribe(room)
        load = Load(clustered, rooms, owner, listeners)
        await load.run()
        logs = {room: await asyncio.to_thread(log_of, owner, room) for room in rooms}
        for listener in listeners:
            with contextlib.suppress(TimeoutError):
                await caught_up(listener, {room: len(log) for room, log in logs.items()})
    for listener in listeners:
        for room, log in logs.items():
            found = faults(listener, room, log)
            assert found == [], f"of {load.removals} removals: {found}"
            assert listener.position(room) == len(log), f"of {load.removals} removals"


async def caught_up(listener: Listener, heads: dict[str, int]) -> None:
    """Wait until a client that is in everywhere knows everything, or has failed."""
    async with asyncio.timeout(CAUGHT_UP_SECONDS):
        while any(listener.position(room) < head for room, head in heads.items()):
            await listener.pause()
