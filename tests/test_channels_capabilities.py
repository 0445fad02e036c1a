"""Everything that a plain Channels chat can do, each by a test of its own name."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio
import redis
from channels.testing import WebsocketCommunicator

from accounts import actions
from accounts.sessions import SignIn
from api.log.epoch import renew_epoch
from api.log.publish import group_of
from config.asgi import application
from realtime import here
from realtime.auth import TokenAuth
from realtime.hub import Hub
from realtime.origin import OriginPolicy
from tests.clients import PASSWORD, Person, http, told
from tests.servers import World

WAIT_SECONDS = 60


@pytest.fixture
def dora(transactional_db: None) -> SignIn:
    """Dora has an account in this process's own database, which another test may have emptied."""
    renew_epoch()
    return actions.register(
        username="dora", password=PASSWORD, display_name="Dora", device="", address=""
    )


@pytest_asyncio.fixture
async def own_hub() -> AsyncIterator[Hub]:
    """The hub of this process, ended with the test's event loop."""
    yield here.current().hub
    await here.shut_down()


async def scope_behind_the_door(token: str | None) -> dict[str, Any]:
    """Return the scope that a consumer would get."""
    seen: dict[str, Any] = {}

    async def consumer(scope: dict[str, Any], receive: Any, send: Any) -> None:
        seen.update(scope)
        await send({"type": "websocket.accept"})

    path = "/ws/" if token is None else f"/ws/?token={token}"
    communicator = WebsocketCommunicator(OriginPolicy(TokenAuth(consumer)), path)
    await communicator.connect(timeout=WAIT_SECONDS)
    await communicator.wait()
    return seen


async def test_protocols_are_routed_on_one_port(world: World, alice: Person) -> None:
    assert http.get(world.server.url + "/healthz").json() == {"status": "ok"}
    assert http.get(world.server.url + "/ws/").json()["code"] == "not_found"
    async with alice.socket("/ws/") as socket:
        await socket.opened()
    async with alice.socket("/healthz") as nowhere:
        assert (await nowhere.closed())[1] == 4003


async def test_url_routing_takes_the_room_from_the_path(alice: Person, bob: Person) -> None:
    room, other = alice.create_room(bob)["id"], alice.create_room(bob)["id"]
    async with bob.socket(f"/ws/rooms/{room}/") as socket:
        await socket.opened()
        assert list((await socket.until("subscribed"))["streams"]) == [room]
        alice.send(other, "elsewhere")
        sent = await socket.ok("message.send", text="here")
        await socket.reach(room, sent["message"]["seq"])
        assert {event["stream"] for event in socket.events} == {room}


async def test_consumer_connects_receives_and_disconnects(dora: SignIn, own_hub: Hub) -> None:
    communicator: Any = WebsocketCommunicator(application, f"/ws/?token={dora.access}")
    assert await communicator.connect(timeout=WAIT_SECONDS) == (True, None)
    hello = await communicator.receive_json_from(timeout=WAIT_SECONDS)
    assert (hello["type"], hello["user"]["username"]) == ("hello", "dora")
    assert len(own_hub.connections) == 1
    await communicator.send_json_to({"type": "ping", "id": 1})
    assert await communicator.receive_json_from(timeout=WAIT_SECONDS) == {"type": "pong", "id": 1}
    await communicator.disconnect()
    assert own_hub.connections == set()
    assert own_hub.position(hello["inbox"]["stream"]) is None, "nobody listens any more"


async def test_groups_reach_their_members_on_every_process(alice: Person, bob: Person) -> None:
    room, other = alice.create_room(bob)["id"], alice.create_room(bob)["id"]
    async with alice.socket() as hers, bob.socket() as his, bob.socket() as elsewhere:
        for socket, stream in ((hers, room), (his, room), (elsewhere, other)):
            await socket.opened()
            await socket.subscribe(stream)
        said = alice.send(room, "to the group")
        for socket in (hers, his):
            assert (await socket.until("message.created"))["data"]["id"] == said["id"]
        last = alice.send(other, "to another")["seq"]
        await elsewhere.reach(other, last)
        assert elsewhere.of(room) == []


async def test_groups_are_those_of_the_redis_layer(clustered: World) -> None:
    assert clustered.valkey is not None
    alice = Person.register(clustered.server.url, "alice")
    bob = Person.register(clustered.server.url, "bob").at(clustered.other.url)
    room = alice.create_room(bob)["id"]
    with redis.Redis.from_url(clustered.valkey.url) as valkey:
        listening = valkey.pubsub()
        group = f"gapless__group__{group_of(room)}"
        listening.subscribe(group)
        async with alice.socket(f"/ws/rooms/{room}/") as hers, bob.socket() as his:
            await hers.opened()
            await his.opened()
            await his.subscribe(room)
            said = alice.send(room, "over Valkey")
            await his.reach(room, said["seq"])
            await hers.reach(room, said["seq"])
            (listeners,) = (count for _, count in valkey.pubsub_numsub(group))
            assert listeners == 3, "both processes and this one"
            heard = [listening.get_message(timeout=WAIT_SECONDS) for _ in range(2)]
        listening.close()
    assert [message["type"] for message in heard if message] == ["subscribe", "message"]
    assert said["id"].encode() in heard[1]["data"]


async def test_joining_and_leaving_are_announced_to_the_room(
    alice: Person, bob: Person, carol: Person
) -> None:
    room = alice.create_room(bob, kind="public")["id"]
    async with bob.socket(f"/ws/rooms/{room}/") as socket:
        await socket.opened()
        await socket.until("subscribed")
        carol.expect(200, "POST", f"/rooms/{room}/join")
        joined = await socket.until("member.joined")
        carol.expect(204, "POST", f"/rooms/{room}/leave")
        left = await socket.until("member.left")
    for event, role in ((joined, "member"), (left, None)):
        assert event["actor_id"] == carol.id
        assert event["data"]["user"]["display_name"] == "Carol"
        assert event["data"]["role"] == role


async def test_messages_are_stored_and_read_back_from_the_database(
    alice: Person, bob: Person
) -> None:
    room = alice.create_room(bob)["id"]
    async with alice.socket() as socket:
        await socket.opened()
        said = (await socket.ok("message.send", room_id=room, text="kept"))["message"]
    (kept,) = bob.get(f"/rooms/{room}/messages")["items"]
    assert told(kept) == said


async def test_scope_has_the_user_and_the_session(dora: SignIn) -> None:
    scope = await scope_behind_the_door(dora.access)
    assert scope["user"].username == "dora"
    assert scope["session"].id == dora.session.id
    assert "refused" not in scope


async def test_scope_has_nobody_without_a_token(dora: SignIn) -> None:
    scope = await scope_behind_the_door(None)
    assert (scope["user"], scope["session"]) == (None, None)


async def test_scope_says_why_a_token_was_refused(dora: SignIn) -> None:
    scope = await scope_behind_the_door("nonsense")
    assert (scope["user"], scope["session"]) == (None, None)
    assert scope["refused"].code == 4301


async def test_consumer_refuses_who_is_not_authenticated(dora: SignIn, own_hub: Hub) -> None:
    communicator: Any = WebsocketCommunicator(application, "/ws/?token=nonsense")
    assert await communicator.connect(timeout=WAIT_SECONDS) == (True, None)
    bye = await communicator.receive_json_from(timeout=WAIT_SECONDS)
    assert (bye["type"], bye["code"]) == ("bye", 4301)
    closed = await communicator.receive_output(timeout=WAIT_SECONDS)
    assert closed == {"type": "websocket.close", "code": 4301, "reason": "invalid_token"}
    await communicator.disconnect()


async def test_one_user_is_sent_to_on_every_device_and_nobody_else(
    world: World, alice: Person, bob: Person
) -> None:
    async with alice.socket() as one, alice.login().socket() as two, bob.socket() as his:
        for socket in (one, two, his):
            await socket.opened()
        told = world.manage("notify", alice.name, "for alice alone", "--kind", "greeting")
        assert told.returncode == 0, told.stderr
        for socket in (one, two):
            event = await socket.until("notification.created")
            assert event["stream"] == alice.id
            assert (event["data"]["kind"], event["data"]["text"]) == ("greeting", "for alice alone")
        room = bob.create_room()["id"]
        await his.until("room.added")
        assert [event["data"]["id"] for event in his.events] == [room]


async def test_code_outside_of_any_consumer_sends(world: World, alice: Person) -> None:
    room = alice.create_room()["id"]
    async with alice.socket(f"/ws/rooms/{room}/") as socket:
        await socket.opened()
        await socket.until("subscribed")
        said = alice.send(room, "by a view")
        await socket.reach(room, said["seq"])
        told = world.manage("notify", alice.name, "by a command in a process of its own")
        assert told.returncode == 0, told.stderr
        event = await socket.until("notification.created")
        assert event["data"]["text"] == "by a command in a process of its own"
