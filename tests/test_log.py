"""The log's rules: one dense order, permission after the lock, publishing after the commit."""

import asyncio
import uuid
from concurrent.futures import ThreadPoolExecutor

import psycopg
import pytest

from api.errors import NotFound
from api.log import publish
from api.log.append import Entry, append, lock, writing
from api.log.frames import Frame
from api.log.models import Event, Stream
from tests.clients import Person
from tests.locks import wait_for_locks
from tests.servers import World

WRITERS, MESSAGES_EACH = 10, 10


@pytest.fixture
def published() -> list[Frame]:
    return []


@pytest.fixture(autouse=True)
def _outlet(published: list[Frame]) -> None:
    publish.bind(published.extend)


def entry(stream: uuid.UUID, kind: str = "message.created") -> Entry:
    return Entry(stream, kind, data={"text": "hello"})


@pytest.mark.django_db(transaction=True)
def test_numbers_are_dense_from_one_in_every_stream(published: list[Frame]) -> None:
    one, two = uuid.uuid4(), uuid.uuid4()
    with writing():
        append([entry(one), entry(two), entry(one)])
    with writing():
        append([entry(one)])

    numbers = Event.objects.order_by("stream_id", "seq").values_list("stream_id", "seq")
    assert sorted(numbers) == sorted([(one, 1), (one, 2), (one, 3), (two, 1)])
    assert [(frame.stream, frame.seq) for frame in published] == [
        (str(one), 1),
        (str(two), 1),
        (str(one), 2),
        (str(one), 3),
    ]


@pytest.mark.django_db(transaction=True)
def test_what_is_rolled_back_takes_no_number_and_is_not_published(
    published: list[Frame],
) -> None:
    stream = uuid.uuid4()

    def fail() -> None:
        with writing():
            append([entry(stream)])
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert (Event.objects.count(), published) == (0, [])

    with writing():
        (numbered,) = append([entry(stream)])
        assert published == []
    assert (numbered.seq, len(published)) == (1, 1)


@pytest.mark.django_db(transaction=True)
def test_a_second_append_in_one_transaction_is_an_error() -> None:
    stream = uuid.uuid4()

    def append_twice() -> None:
        with writing():
            append([entry(stream)], silent=True)
            append([entry(stream)])

    with pytest.raises(RuntimeError):
        append_twice()
    with pytest.raises(RuntimeError):
        append([entry(stream)])
    assert Event.objects.count() == 0


@pytest.mark.django_db(transaction=True)
def test_a_closed_stream_takes_no_more(published: list[Frame]) -> None:
    stream = uuid.uuid4()
    with writing():
        append([entry(stream)])
    Stream.objects.update(closed_at="2026-01-01T00:00:00Z")
    with pytest.raises(NotFound), writing():
        append([entry(stream)])
    assert (Stream.objects.get().last_seq, len(published)) == (1, 1)


@pytest.mark.django_db(transaction=True)
def test_the_lock_tells_the_head() -> None:
    stream = uuid.uuid4()
    with writing():
        assert lock(stream) == 0
        append([entry(stream), entry(stream)])
    with writing():
        assert lock(stream) == 2


@pytest.mark.django_db(transaction=True)
def test_a_silent_append_is_recorded_but_not_published(published: list[Frame]) -> None:
    with writing():
        append([entry(uuid.uuid4())], silent=True)
    assert (Event.objects.count(), published) == (1, [])


def test_many_writers_at_two_servers_make_one_dense_order(
    world: World, alice: Person, bob: Person
) -> None:
    room = alice.create_room(bob)["id"]

    def write(number: int) -> list[int]:
        writer = alice if number % 2 else bob
        return [writer.send(room, f"{number}")["seq"] for _ in range(MESSAGES_EACH)]

    with ThreadPoolExecutor(WRITERS) as pool:
        numbers = [seq for seqs in pool.map(write, range(WRITERS)) for seq in seqs]

    assert sorted(numbers) == list(range(3, 3 + WRITERS * MESSAGES_EACH))
    histories = [who.get(f"/rooms/{room}/messages?limit=200")["items"] for who in (alice, bob)]
    assert histories[0] == histories[1]
    assert [message["seq"] for message in histories[0]] == sorted(numbers)


async def test_a_sender_who_waits_for_the_lock_while_being_removed_writes_nothing(
    clustered: World,
) -> None:
    alice = Person.register(clustered.server.url, "alice")
    bob = Person.register(clustered.server.url, "bob")
    room = alice.create_room(bob)["id"]
    assert clustered.postgres_url is not None
    with (
        psycopg.connect(clustered.postgres_url) as holder,
        psycopg.connect(clustered.postgres_url, autocommit=True) as watcher,
    ):
        holder.execute("SELECT 1 FROM api_stream WHERE id = %s FOR UPDATE", [room])
        removal = asyncio.create_task(
            asyncio.to_thread(bob_is_removed, alice, room, bob.id),
        )
        await asyncio.to_thread(wait_for_locks, watcher, 1)
        sending = asyncio.create_task(
            asyncio.to_thread(bob.call, "POST", f"/rooms/{room}/messages", json={"text": "x"})
        )
        await asyncio.to_thread(wait_for_locks, watcher, 2)
        holder.rollback()
        assert await removal == 204
        answer = await sending
    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")
    events = alice.get(f"/rooms/{room}/events")
    assert [event["type"] for event in events["items"]][-1] == "member.removed"
    assert alice.get(f"/rooms/{room}/messages")["items"] == []


def bob_is_removed(alice: Person, room: str, bob: str) -> int:
    return alice.call("DELETE", f"/rooms/{room}/members/{bob}").status_code


def test_a_member_who_is_removed_before_listening_hears_of_it_and_nothing_more(
    world: World, alice: Person, bob: Person
) -> None:
    room = alice.create_room(bob)["id"]
    frames = world.scenario("removed_before_listening", room, alice.id, bob.id)
    kinds = [frame["type"] for frame in frames]
    assert kinds[-1] == "unsubscribed"
    assert frames[-1] == {"type": "unsubscribed", "stream": room, "reason": "removed"}
    assert "secret" not in str(frames)
    assert "later" not in str(frames)
    told = [event for frame in frames for event in frame.get("events", [frame])]
    assert [(event["type"], event.get("seq")) for event in told[:-1]] == [("member.removed", 3)]


@pytest.mark.parametrize("listens", ["first", "again"])
def test_what_is_said_before_listening_waits_for_nothing(
    world: World, alice: Person, bob: Person, listens: str
) -> None:
    """Naive form: it is nobody's when it comes, and is found by the next look at the log."""
    room = alice.create_room(bob)["id"]
    (frame,) = world.scenario("said_before_listening", room, alice.id, bob.id, listens)
    assert (frame["seq"], frame["data"]["text"]) == (3, "said meanwhile")
