"""``manage.py serve``: who does not read, or does not answer, harms nobody else."""

import asyncio
import contextlib
import re
import socket
import subprocess
import time
from collections.abc import Iterator

import pytest

from tests.clients import Person, Socket, http, until
from tests.deaf import Deaf, small_socket
from tests.locks import held
from tests.servers import Server, World

WIDE = "😀" * 10_000  # 40,000 bytes
SLOW_SECONDS = 0.5
PATIENT_SECONDS, LARGE = 4, 10 * 1024 * 1024 - 1024  # bytes


@pytest.fixture(scope="module")
def tight(embedded: World) -> Iterator[Server]:
    """A server that lets little wait, and not for long."""
    limits = {
        "queue_bytes": 65_536,
        "slow_reader_seconds": SLOW_SECONDS,
        "slow_answer_seconds": SLOW_SECONDS,
    }
    with embedded.beside(limits) as server:
        yield server


@pytest.fixture(scope="module")
def patient(embedded: World) -> Iterator[Server]:
    """A server that lets little wait, but for long; it asks often whether one is there."""
    limits = {
        "queue_bytes": 65_536,
        "slow_reader_seconds": 600,
        "heartbeat_seconds": 0.4,
        "pong_seconds": 3,
    }
    with embedded.beside(limits) as server:
        yield server


@pytest.fixture(scope="module")
def roomy(embedded: World) -> Iterator[Server]:
    """A server that lets little wait, but for as long as it takes."""
    with embedded.beside({"queue_bytes": 65_536, "slow_reader_seconds": 600}) as server:
        yield server


def deaf(person: Person, path: str = "/ws/") -> Deaf:
    """Open a socket that is not read from after its ``hello``."""
    made = Deaf(person.ws + path, person.tokens["access"])
    made.until("hello")
    return made


def memory_of(server: Server) -> int:
    """Return how much memory a server has, in KiB."""
    asked = ["ps", "-o", "rss=", "-p", str(server.process.pid)]
    return int(subprocess.run(asked, capture_output=True, text=True, check=True).stdout)


def closed_as_slow(server: Server) -> float:
    """Return how many sockets a server has closed for not reading."""
    told = http.get(f"{server.url}/metrics").text
    found = re.search(r'^gapless_socket_closes_total{.*code="4110".*} (.+)$', told, re.MULTILINE)
    return float(found.group(1)) if found else 0.0


def fill(sender: Person, room: str, messages: int = 25) -> int:
    """Say more than a socket and its queue take; return the number of the last message."""
    return max(int(sender.send(room, WIDE)["seq"]) for _ in range(messages))


async def test_who_stops_reading_is_closed_and_the_others_get_everything(tight: Server) -> None:
    alice, bob = Person.register(tight.url, "alice"), Person.register(tight.url, "bob")
    room = alice.create_room(bob)["id"]
    async with alice.socket(f"/ws/rooms/{room}/") as hers:
        await hers.opened()
        await hers.until("subscribed")
        with deaf(bob, f"/ws/rooms/{room}/") as his:
            his.until("subscribed")
            last = await asyncio.to_thread(fill, alice, room)
            await hers.reach(room, last)
            await asyncio.to_thread(his.wait_cut)
    async with bob.socket(f"/ws/rooms/{room}/", query="?since=2") as back:
        await back.opened()
        await back.reach(room, last)


async def test_who_reads_again_is_told_why_it_is_over(tight: Server) -> None:
    alice, bob = Person.register(tight.url, "alice"), Person.register(tight.url, "bob")
    room = alice.create_room(bob)["id"]
    bye = {"type": "bye", "code": 4110, "reason": "too_slow", "reconnect": "backoff"}
    for _ in range(5):  # the server waits only a second with its last words
        with deaf(bob, f"/ws/rooms/{room}/") as his:
            his.until("subscribed")
            before = closed_as_slow(tight)
            fill(alice, room)
            await asyncio.to_thread(until, lambda before=before: closed_as_slow(tight) > before)
            frames, code = his.rest()
        if code == 4110:
            assert frames[-1] == bye
            return
    pytest.fail("it was never told")


async def test_who_reads_slowly_gets_everything_by_replay(roomy: Server) -> None:
    alice, bob = Person.register(roomy.url, "alice"), Person.register(roomy.url, "bob")
    room = alice.create_room(bob)["id"]
    token = bob.tokens["access"]
    url = f"{bob.ws}/ws/rooms/{room}/?token={token}"
    async with Socket(url, sock=small_socket(roomy.port), max_queue=1) as his:
        await his.opened()
        await his.until("subscribed")
        last = fill(alice, room)
        kinds = set()
        while his.positions[room] < last:
            kinds.add((await his.receive())["type"])
        assert kinds == {"message.created", "batch"}
        last = alice.send(room, "live again")["seq"]
        await his.reach(room, last)
        assert [event["seq"] for event in his.of(room)] == list(range(3, last + 1))


async def test_who_asks_and_does_not_read_is_not_served_on_and_on(embedded: World) -> None:
    alice = Person.register(embedded.server.url, "alice")
    room = alice.create_room()["id"]
    last = fill(alice, room, 8)
    with deaf(alice) as hers:
        for _ in range(60):
            hers.command("history", room_id=room)  # 240 kB each
        hers.command("message.send", room_id=room, text="after all that")
        await asyncio.to_thread(hers.wait_cut)
    assert alice.get(f"/rooms/{room}")["last_seq"] == last


async def test_pongs_that_nobody_reads_are_not_kept(tight: Server) -> None:
    alice = Person.register(tight.url, "alice")
    sent = 60_000
    with deaf(alice) as hers:
        for _ in range(sent):
            hers.protocol.send_ping(b"x" * 125)
        data = b"".join(hers.protocol.data_to_send())
        before = memory_of(tight)
        await asyncio.to_thread(hers.socket.sendall, data)
        hers.command("ping")
        hers.until("pong")
        assert memory_of(tight) - before < 4 * 1024


async def test_replays_that_nobody_reads_hold_up_no_other(embedded: World) -> None:
    alice = Person.register(embedded.server.url, "alice")
    room = alice.create_room()["id"]
    last = fill(alice, room)
    with contextlib.ExitStack() as stack:
        for _ in range(12):
            stack.enter_context(deaf(alice, f"/ws/rooms/{room}/?since=0"))
        async with alice.socket(f"/ws/rooms/{room}/", query="?since=0") as socket:
            await socket.opened()
            await socket.reach(room, last)


async def test_who_answers_no_ping_is_told_and_closed(patient: Server) -> None:
    alice = Person.register(patient.url, "alice")
    async with alice.socket() as answering:
        await answering.opened()
        with deaf(alice) as silent:
            frames, code = await asyncio.to_thread(silent.rest)
        bye = {"type": "bye", "code": 4112, "reason": "no_pong", "reconnect": "backoff"}
        assert (frames[-1], code) == (bye, 4112)
        assert (await answering.ask("ping"))["type"] == "pong"


async def test_who_waits_for_an_answer_owes_no_pong(clustered: World) -> None:
    """Naive form: pongs behind what waits for the database are not read, so they are missed."""
    with clustered.beside({"heartbeat_seconds": 0.2, "pong_seconds": 1}) as server:
        alice = Person.register(server.url, "alice")
        room = alice.create_room()["id"]
        said = alice.send(room)["id"]
        async with alice.socket() as hers:
            await hers.opened()
            with held(clustered, room):
                await hers.command("message.edit", id="edit", message_id=said, text="new")
                for number in range(3):
                    await hers.command("ping", id=number)
                await asyncio.sleep(3)  # several pings of the server's
            assert (await hers.reply("edit"))["message"]["text"] == "new"
            assert (await hers.reply(2))["type"] == "pong"


async def test_who_neither_reads_nor_answers_is_let_go(patient: Server) -> None:
    alice = Person.register(patient.url, "alice")
    room = alice.create_room()["id"]
    with deaf(alice, f"/ws/rooms/{room}/") as hers:
        fill(alice, room)
        await asyncio.to_thread(hers.wait_cut)


async def test_an_ended_session_is_let_go_though_it_does_not_read(embedded: World) -> None:
    alice = Person.register(embedded.server.url, "alice")
    room = alice.create_room()["id"]
    with deaf(alice, f"/ws/rooms/{room}/") as hers:
        fill(alice, room, 12)
        alice.expect(204, "POST", "/auth/logout")
        await asyncio.to_thread(hers.wait_cut)


async def test_a_burst_larger_than_a_queue_reaches_who_reads_all_the_time(
    embedded: World,
) -> None:
    url = embedded.server.url
    alice, bob = Person.register(url, "alice"), Person.register(url, "bob")
    room = alice.create_room(bob)["id"]
    async with alice.socket() as hers, bob.socket(f"/ws/rooms/{room}/") as his:
        await hers.opened()
        await his.opened()
        await his.until("subscribed")
        for number in range(60):  # acknowledged together, so told together: 2.4 MB
            await hers.command("message.send", id=number, room_id=room, text=WIDE)
        await his.reach(room, 62)
        assert len(his.of(room)) == 60


def test_who_does_not_read_an_answer_is_cut_off(tight: Server) -> None:
    """Naive form: it is kept until they have read it, however many they ask for."""
    alice = Person.register(tight.url, "alice")
    room = alice.create_room()["id"]
    fill(alice, room)
    path = f"/rooms/{room}/messages?limit=200"
    with small_socket(tight.port) as deaf_to_it:
        ask(deaf_to_it, alice, path)
        until(lambda: is_cut(deaf_to_it))
    assert len(alice.get(path)["items"]) == 25, "who reads gets all"


def test_who_reads_an_answer_slowly_gets_all_of_it(embedded: World) -> None:
    """Naive form: who takes less than the kernel's buffer meanwhile is cut off."""
    with embedded.beside({"slow_answer_seconds": PATIENT_SECONDS}) as server:
        alice = Person.register(server.url, "alice")
        file = alice.upload("large.bin", bytes(LARGE))["id"]
        with socket.create_connection(("127.0.0.1", server.port), timeout=30) as slow:
            ask(slow, alice, f"/attachments/{file}")
            read = 0
            for _ in range(2 * PATIENT_SECONDS * 4):
                read += len(slow.recv(16_384))
                time.sleep(0.25)
            assert read < LARGE // 2, "it is still being sent"
            while part := slow.recv(1024 * 1024):
                read += len(part)
    assert read > LARGE


def ask(client: socket.socket, person: Person, path: str) -> None:
    """Send a request, and read nothing of its answer."""
    head = f"GET /api/v1{path} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n"
    client.sendall(f"{head}Authorization: Bearer {person.tokens['access']}\r\n\r\n".encode())


def is_cut(client: socket.socket) -> bool:
    """Tell whether the server has let go of a client that does not read."""
    try:
        client.send(b"\r\n")
    except ConnectionError:
        return True
    return False
