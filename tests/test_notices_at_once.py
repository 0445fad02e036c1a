"""Many messages to many people at once, over two processes: nobody waits in a circle.

What is sent at one process goes to other rooms than what is sent at the other, and to the same
people, who read meanwhile (docs/decisions/0006). PostgreSQL ends a circle with an error, which
some sender would be told.
"""

import asyncio
import random
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack
from typing import Any

import psycopg
import pytest

from tests.clients import Person, Socket
from tests.locks import wait_for_locks
from tests.servers import World

PEOPLE, ROOMS, SENDS = 6, 4, 10  # sends of each in each room: as many as may be at once


async def send_all(socket: Socket, mine: list[tuple[str, str]]) -> list[dict[str, Any]]:
    """Say all this without waiting, and return the answers."""
    for number, (room, text) in enumerate(mine):
        await socket.command("message.send", id=number, room_id=room, text=text)
    answers: list[dict[str, Any]] = []
    while len(answers) < len(mine):
        frame = await socket.receive(30)
        if frame["type"] in ("ok", "error"):
            answers.append(frame)
    return answers


async def read_all(person: Person, rooms: list[str], done: asyncio.Event) -> list[int]:
    """Go on reading everything until all has been said; return the statuses."""
    statuses = []
    while not done.is_set():
        up_to, seq = random.randrange(200), random.randrange(60)
        for path, method, body in (
            ("/read", "PUT", {"rooms": dict.fromkeys(rooms, seq)}),
            ("/notifications/read", "POST", {"up_to": up_to}),
        ):
            answer = await asyncio.to_thread(person.call, method, path, json=body)
            statuses.append(answer.status_code)
    return statuses


def words(people: list[Person], rooms: list[str]) -> list[list[tuple[str, str]]]:
    """Return what each says, in which room: each time to some of the others, in any order."""
    said = []
    for number, person in enumerate(people):
        others = [f"@{other.name}" for other in people if other is not person]
        mine = [
            (room, " ".join(random.sample(others, random.randint(1, len(others)))))
            for room in rooms[number % 2 :: 2] * SENDS
        ]
        random.shuffle(mine)
        said.append(mine)
    return said


async def test_groups_of_several_rooms_and_people_never_wait_in_a_circle(
    clustered: World,
) -> None:
    urls = [clustered.server.url, clustered.other.url]
    people = [Person.register(urls[number % 2], "person") for number in range(PEOPLE)]
    rooms = [people[0].create_room(*people[1:])["id"] for _ in range(ROOMS)]
    said = words(people, rooms)
    texts = [text for mine in said for _, text in mine]
    done = asyncio.Event()
    async with AsyncExitStack() as stack:
        sockets = [await stack.enter_async_context(person.socket()) for person in people]
        for socket in sockets:
            await socket.opened()
        readers = [asyncio.create_task(read_all(person, rooms, done)) for person in people[:2]]
        sending = [send_all(socket, mine) for socket, mine in zip(sockets, said, strict=True)]
        answers = await asyncio.gather(*sending)
        done.set()
        statuses = {status for some in await asyncio.gather(*readers) for status in some}
        assert {answer.get("code") for some in answers for answer in some} == {None}
        assert statuses <= {200, 429}
        for person, socket in zip(people, sockets, strict=True):
            events = person.events(person.id, after=socket.hello["inbox"]["head"])
            await socket.reach(person.id, events[-1]["seq"])
            told = [event for event in events if event["type"] == "notification.created"]
            assert len(told) == sum(f"@{person.name}" in text.split() for text in texts)
    for room in rooms:
        assert people[0].get(f"/rooms/{room}")["last_seq"] == PEOPLE + PEOPLE // 2 * SENDS


@pytest.mark.parametrize("held", [0, 1])
def test_rooms_are_locked_before_people_and_those_in_the_order_of_their_ids(
    clustered: World, held: int
) -> None:
    alice = Person.register(clustered.server.url, "alice")
    people = sorted((Person.register(alice.url, "person") for _ in range(2)), key=by_id)
    room = alice.create_room(*people)["id"]
    names = " ".join(f"@{person.name}" for person in reversed(people))
    assert clustered.postgres_url
    with (
        psycopg.connect(clustered.postgres_url) as holder,
        psycopg.connect(clustered.postgres_url, autocommit=True) as watcher,
        ThreadPoolExecutor(1) as thread,
    ):
        holder.execute("SELECT 1 FROM api_stream WHERE id = %s FOR UPDATE", [people[held].id])
        sent = thread.submit(alice.send, room, names)
        wait_for_locks(watcher, 1)
        assert locked(watcher, room)
        assert locked(watcher, people[0].id)  # held by us, or by who waits for the second
        assert locked(watcher, people[1].id) == (held == 1)
        own = "SELECT 1 FROM api_member WHERE room_id = %s AND user_id = %s FOR UPDATE SKIP LOCKED"
        assert watcher.execute(own, [room, alice.id]).fetchone()  # rows come after all streams
        holder.rollback()
        message = sent.result()
    for person in people:
        assert [item["message_id"] for item in person.get("/notifications")["items"]] == [
            message["id"]
        ]


def by_id(person: Person) -> str:
    """Return what the order of locks goes by."""
    return person.id


def locked(watcher: psycopg.Connection, stream: str) -> bool:
    """Tell whether some transaction holds a stream."""
    free = "SELECT 1 FROM api_stream WHERE id = %s FOR UPDATE SKIP LOCKED"
    return watcher.execute(free, [stream]).fetchone() is None
