"""Chat exports become rooms, people and messages of the log: whole, once, and in order."""

import os
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path
from typing import Any, BinaryIO

import pytest

from api.imports.actions import message_id
from tests.clients import Person, at_once
from tests.exports import counts, enter, export, find, line, load, people, said
from tests.servers import PROJECT, World

DEADLINE_SECONDS = 120


@pytest.fixture
def owner(embedded: World) -> Person:
    """Alice, where one world is enough."""
    return Person.register(embedded.server.url, "alice")


@contextmanager
def reading(world: World, path: Path) -> Iterator[tuple[subprocess.Popen[bytes], BinaryIO]]:
    """Import what is written into a pipe, for as long as it is open."""
    os.mkfifo(path)
    command = [sys.executable, "manage.py", "import_history", str(path)]
    with subprocess.Popen(command, cwd=PROJECT, env=world.env) as run, path.open("wb") as pipe:
        yield run, pipe


def feed(pipe: BinaryIO, content: bytes) -> None:
    """Write everything into a pipe and close it."""
    with pipe:
        pipe.write(content)


def recorded(person: Person, name: str, seq: int) -> None:
    """Wait until so much has happened in a room."""
    end = time.monotonic() + DEADLINE_SECONDS
    while (find(person, name) or {"last_seq": 0})["last_seq"] < seq:
        assert time.monotonic() < end
        time.sleep(0.05)


def test_every_message_is_a_proper_part_of_the_log(
    world: World, alice: Person, tmp_path: Path
) -> None:
    path = export(
        tmp_path,
        line("harbour", 0, "anybody?"),
        line("kitchen", 0, "tea"),
        line("harbour", 1, "me", sender="erin", at="2004-12-25T10:15:00+01:00", reply_to=0),
        line("harbour", 7, " so?\n", at="2004-12-25T09:13:59.123999Z", reply_to=1),
    )
    assert load(world, path) == (counts(4, rooms=2), [])

    room = enter(alice, "harbour")
    dave, erin = people(alice, room)["dave"], people(alice, room)["erin"]
    items = alice.get(f"/rooms/{room}/messages")["items"]
    first, second, third = (item["id"] for item in items)
    early, start, late = (
        f"2004-12-25T09:{rest}Z" for rest in ("13:59.123", "14:00.000", "15:00.000")
    )

    def joined(seq: int, user: dict[str, Any], at: str) -> dict[str, Any]:
        data = {"user": user, "role": "member", "joined_at": at, "muted_until": None}
        common = {"type": "member.joined", "stream": room, "seq": seq, "at": at}
        return common | {"actor_id": user["id"], "data": data}

    def created(seq: int, user: dict[str, Any], at: str, **fields: Any) -> dict[str, Any]:
        nothing = dict.fromkeys(("metadata", "thread_id", "edited_at", "deleted_at"))
        place = {"room_id": room, "seq": seq, "changed_seq": seq, "sender": user, "created_at": at}
        lists = {"attachments": [], "mentions": [], "pinned": False}
        common = {"type": "message.created", "stream": room, "seq": seq, "at": at}
        return common | {"actor_id": user["id"], "data": {**nothing, **place, **lists, **fields}}

    def names(message: str, n: int, answered: str | None) -> dict[str, Any]:
        return {"id": message, "client_msg_id": f"import-{n}", "reply_to_id": answered}

    assert alice.events(room)[:-1] == [
        joined(1, dave, start),
        created(2, dave, start, text="anybody?", **names(first, 0, None)),
        joined(3, erin, late),
        created(4, erin, late, text="me", **names(second, 1, first)),
        created(5, dave, early, text=" so?\n", **names(third, 7, second)),
    ]
    seen = alice.get(f"/rooms/{room}")
    assert (seen["name"], seen["kind"], seen["join"]) == ("harbour", "public", "open")
    assert (seen["created_at"], seen["member_count"]) == (start, 3)


def test_people_find_the_rooms_they_spoke_in_in_their_own_streams(
    world: World, alice: Person, tmp_path: Path
) -> None:
    lines = [line(f"inbox {place}", n, sender="frank") for n in (0, 1) for place in (1, 2)]
    load(world, export(tmp_path, *lines))
    rooms = [enter(alice, f"inbox {place}") for place in (1, 2)]
    frank = people(alice, rooms[0])["frank"]

    inbox = world.scenario("inbox_of", frank["id"])

    assert [(item["seq"], item["type"], item["data"]["id"]) for item in inbox] == [
        (1, "room.added", rooms[0]),
        (2, "room.added", rooms[1]),
    ]
    for item in inbox:
        assert item["at"] == "2004-12-25T09:14:00.000Z"
        assert (item["data"]["my_role"], item["data"]["read_seq"]) == ("member", 1)


def test_a_second_run_adds_nothing_and_a_longer_file_only_its_end(
    world: World, alice: Person, tmp_path: Path
) -> None:
    lines = [line("again", n, f"number {n}", sender=f"again{n % 3}") for n in range(5)]
    load(world, export(tmp_path, *lines))
    room = enter(alice, "again")
    before, everybody = alice.events(room), people(alice, room)

    assert load(world, export(tmp_path, *lines)) == (counts(0, known=5), [])
    assert (alice.events(room), people(alice, room)) == (before, everybody)

    more = line("again", 9, "more", sender="again0", reply_to=2)
    assert load(world, export(tmp_path, *lines, more)) == (counts(1, known=5), [])
    (event,) = alice.events(room)[len(before) :]
    assert event["data"]["sender"] == everybody["again0"]
    assert people(alice, room) == everybody


def test_a_run_that_was_killed_is_completed_by_the_next_without_doubles(
    world: World, alice: Person, tmp_path: Path
) -> None:
    lines = [line("killed", n, f"number {n}", sender=f"killed{n % 9}") for n in range(900)]
    with reading(world, tmp_path / "pipe") as (killed, pipe):
        pipe.write(export(tmp_path, *lines[:700]).read_bytes())
        pipe.flush()
        recorded(alice, "killed", 600)
        killed.kill()
        assert killed.wait(DEADLINE_SECONDS) == -signal.SIGKILL

    assert load(world, export(tmp_path, *lines)) == (counts(300, known=600), [])
    room = enter(alice, "killed")
    assert said(alice, room) == [item["text"] for item in lines]
    assert len(people(alice, room)) == 9


def test_several_runs_at_once_add_everything_once(clustered: World, tmp_path: Path) -> None:
    alice = Person.register(clustered.server.url, "alice")
    lines = [line("at once", n, f"number {n}", sender=f"once{n % 99}") for n in range(800)]
    content = export(tmp_path, *lines).read_bytes()
    with ExitStack() as stack:
        pipes = [tmp_path / f"pipe{number}" for number in range(3)]
        runs = [stack.enter_context(reading(clustered, pipe)) for pipe in pipes]
        at_once(*[partial(feed, pipe, content) for _, pipe in runs])
        assert [run.wait(DEADLINE_SECONDS) for run, _ in runs] == [0, 0, 0]

    room = enter(alice, "at once")
    assert said(alice, room) == [item["text"] for item in lines]
    assert len(people(alice, room)) == 99


async def test_open_sockets_find_in_the_log_what_is_imported(
    world: World, alice: Person, tmp_path: Path
) -> None:
    load(world, export(tmp_path, line("open", 0)))
    room = enter(alice, "open")
    more = [line("open", n, f"number {n}", sender=f"late{n % 5}") for n in range(1, 400)]
    async with alice.socket(f"/ws/rooms/{room}/") as hers:
        await hers.opened()
        await hers.until("subscribed")
        before = hers.positions[room]
        load(world, export(tmp_path, *more))
        await hers.reach(room, before + len(more) + 5)
        assert hers.of(room) == alice.events(room, after=before)


def test_what_is_deleted_here_does_not_come_back(
    embedded: World, owner: Person, tmp_path: Path
) -> None:
    path = export(tmp_path, line("deleted", 0), line("deleted", 1, "tactless", reply_to=0))
    load(embedded, path, "--owner", owner.name)
    (room,) = owner.get("/rooms")["items"]
    tactless = owner.get(f"/rooms/{room['id']}/messages")["items"][1]
    owner.expect(200, "DELETE", f"/messages/{tactless['id']}")
    before = owner.events(room["id"])

    assert load(embedded, path) == (counts(0, known=2), [])
    assert owner.events(room["id"]) == before


def test_an_archived_or_deleted_room_takes_no_more(
    embedded: World, owner: Person, tmp_path: Path
) -> None:
    load(embedded, export(tmp_path, line("ended", 0)), "--owner", owner.name)
    (room,) = owner.get("/rooms")["items"]
    assert (room["name"], room["my_role"], room["member_count"]) == ("ended", "owner", 2)
    more = export(tmp_path, line("ended", 0), line("ended", 1), line("ended", 2, reply_to=1))
    told = [f"line {number}: /room: It has been archived or deleted here." for number in (2, 3)]

    owner.expect(200, "PATCH", f"/rooms/{room['id']}", json={"archived": True})
    assert load(embedded, more) == (counts(0, known=1, refused=2), told)
    owner.expect(204, "DELETE", f"/rooms/{room['id']}")
    assert load(embedded, more) == (counts(0, known=1, refused=2), told)


def test_answers_wait_for_their_messages_in_a_file_that_begins_with_the_newest(
    embedded: World, owner: Person, tmp_path: Path
) -> None:
    answered = {n: n - 1 if n % 3 else None for n in range(700)}
    lines = [line("backwards", n, str(n), reply_to=answered[n]) for n in reversed(answered)]
    path = export(tmp_path, *lines)

    assert load(embedded, path) == (counts(700), [])
    assert load(embedded, path) == (counts(0, known=700), [])
    room = enter(owner, "backwards")
    assert sorted(map(int, said(owner, room))) == list(answered)
    heard: dict[str, int] = {}
    for event in owner.events(room):
        if event["type"] == "message.created":
            n = int(event["data"]["text"])
            assert heard.get(event["data"]["reply_to_id"]) == answered[n]
            heard[event["data"]["id"]] = n


def test_rooms_may_be_mixed_in_a_file_and_do_not_wait_for_its_end(
    embedded: World, owner: Person, tmp_path: Path
) -> None:
    rooms = [f"mixed {letter}" for letter in "abcdefghijklmnopqrstuvwxyz"]
    lines = [line(room, n, f"{room} {n}") for n in range(240) for room in rooms]
    with reading(embedded, tmp_path / "pipe") as (run, pipe):
        pipe.write(export(tmp_path, *lines).read_bytes())
        pipe.flush()
        recorded(owner, rooms[0], 200)
        pipe.close()
        assert run.wait(DEADLINE_SECONDS) == 0
    for name in (rooms[0], rooms[-1]):
        assert said(owner, enter(owner, name)) == [f"{name} {n}" for n in range(240)]


def test_a_place_in_a_room_has_one_id_of_the_seventh_version() -> None:
    rooms = [uuid.UUID("019aaaaa-0000-7000-8000-000000000001"), uuid.UUID(int=2**128 - 1)]
    ids = [message_id(room, n) for room in rooms for n in range(1000)]
    assert len(set(ids)) == 2000
    assert {(item.version, item.variant) for item in ids} == {(7, uuid.RFC_4122)}
    assert {item.int >> 80 for item in ids} == {room.int >> 80 for room in rooms}
    assert message_id(rooms[0], 5) == ids[5]
