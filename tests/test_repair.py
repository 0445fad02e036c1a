"""What the channel layer loses is found in the log, on the open socket, within 5 s."""

import signal
from collections.abc import Iterator

import pytest

from tests import servers
from tests.backends import free_port
from tests.clients import Person
from tests.servers import World

REPAIRED_SECONDS = 5.0  # contract §3.4, rule 3


@pytest.fixture
def cluster(postgres_url: str) -> Iterator[World]:
    """A cluster of this test's own: its Valkey is going to suffer."""
    with servers.clustered(postgres_url) as world:
        yield world


@pytest.fixture
def deaf(postgres_url: str) -> Iterator[World]:
    """Two servers whose Redis has never been there: a layer that drops everything."""
    nowhere = f"redis://127.0.0.1:{free_port()}/0"
    with servers.embedded(
        2, DATABASE_URL=servers.migrated_database(postgres_url), REDIS_URL=nowhere
    ) as world:
        yield world


def cast(world: World) -> tuple[Person, Person, str]:
    """Return alice at one server, bob at the other, and their room."""
    alice = Person.register(world.server.url, "alice")
    bob = Person.register(world.server.url, "bob").at(world.other.url)
    return alice, bob, alice.create_room(bob)["id"]


async def test_a_layer_that_drops_everything_delays_news_by_five_seconds_at_most(
    deaf: World,
) -> None:
    alice, bob, room = cast(deaf)
    async with bob.socket() as his, alice.socket() as hers:
        for socket in (his, hers):
            await socket.opened()
            await socket.subscribe(room)
        for number in range(3):
            said = alice.send(room, f"number {number}")
            for socket in (his, hers):
                await socket.reach(room, said["seq"], REPAIRED_SECONDS)
        await his.ok("message.send", room_id=room, text="and back")
        event = await hers.until("message.created", REPAIRED_SECONDS)
        assert event["data"]["text"] == "and back"


async def test_a_removed_member_is_put_out_also_when_the_layer_drops_everything(
    deaf: World,
) -> None:
    alice, bob, room = cast(deaf)
    async with bob.socket() as his:
        await his.opened()
        await his.subscribe(room)
        alice.expect(204, "DELETE", f"/rooms/{room}/members/{bob.id}")
        alice.send(room, "not for bob")
        gone = await his.until("unsubscribed", REPAIRED_SECONDS)
        assert gone == {"type": "unsubscribed", "stream": room, "reason": "removed"}
        assert [event["type"] for event in his.of(room)] == ["member.removed"]
        await his.ok("unsubscribe", streams=[room])
        assert [event["type"] for event in his.of(room)] == ["member.removed"]


async def test_an_ended_session_closes_its_socket_also_when_the_layer_drops_everything(
    deaf: World,
) -> None:
    _, bob, _ = cast(deaf)
    async with bob.socket() as his:
        await his.opened()
        bob.at(deaf.server.url).expect(204, "POST", "/auth/logout")
        bye, code = await his.closed(REPAIRED_SECONDS)
        assert (bye["code"], code) == (4009, 4009)


async def test_nobody_is_disconnected_and_nothing_lost_while_redis_is_away(
    cluster: World,
) -> None:
    alice, bob, room = cast(cluster)
    assert cluster.valkey is not None
    async with bob.socket() as his, alice.socket() as hers:
        for socket in (his, hers):
            await socket.opened()
            await socket.subscribe(room)
        before = alice.send(room, "before")
        await his.reach(room, before["seq"])

        cluster.valkey.stop()
        during = [alice.send(room, f"during {number}") for number in range(20)]
        for socket in (his, hers):
            await socket.reach(room, during[-1]["seq"], REPAIRED_SECONDS)

        cluster.valkey.start()
        after = alice.send(room, "after")
        for socket in (his, hers):
            await socket.reach(room, after["seq"], REPAIRED_SECONDS)
            texts = [event["data"]["text"] for event in socket.of(room)]
            said = [before, *during, after]
            assert texts == [message["text"] for message in said]
            await socket.ask("ping")


async def test_a_frozen_redis_holds_up_neither_writers_nor_readers(cluster: World) -> None:
    alice, bob, room = cast(cluster)
    assert cluster.valkey is not None
    async with bob.socket() as his:
        await his.opened()
        await his.subscribe(room)
        cluster.valkey.process.send_signal(signal.SIGSTOP)
        try:
            said = [alice.send(room, f"frozen {number}") for number in range(5)]
            await his.reach(room, said[-1]["seq"], REPAIRED_SECONDS)
            async with bob.login().socket(f"/ws/rooms/{room}/", query="?since=0") as second:
                await second.opened()
                await second.reach(room, said[-1]["seq"], REPAIRED_SECONDS)
        finally:
            cluster.valkey.process.send_signal(signal.SIGCONT)
        thawed = alice.send(room, "thawed")
        await his.reach(room, thawed["seq"], REPAIRED_SECONDS)


async def test_a_change_by_another_process_reaches_sockets_without_redis(
    embedded: World,
) -> None:
    bob = Person.register(embedded.server.url, "bob")
    async with bob.socket() as his:
        await his.opened()
        told = embedded.manage("notify", bob.name, "tea is ready")
        assert told.returncode == 0, told.stderr
        event = await his.until("notification.created", REPAIRED_SECONDS)
        assert event["data"]["text"] == "tea is ready"


async def test_a_second_server_on_the_same_database_file_is_heard() -> None:
    with servers.embedded(2) as world:
        alice, bob, room = cast(world)
        async with bob.socket() as his:
            await his.opened()
            await his.subscribe(room)
            said = alice.send(room, "from next door")
            await his.reach(room, said["seq"], REPAIRED_SECONDS)


async def test_a_command_reaches_sockets_at_once_with_redis(clustered: World) -> None:
    bob = Person.register(clustered.server.url, "bob")
    async with bob.socket() as his:
        await his.opened()
        told = [clustered.manage("notify", bob.name, "tea is ready") for _ in range(3)]
        assert [one.returncode for one in told] == [0, 0, 0]
        assert not all("log has it" in one.stderr for one in told), "Redis may be slow once"
        event = await his.until("notification.created", REPAIRED_SECONDS)
        assert event["data"]["text"] == "tea is ready"
