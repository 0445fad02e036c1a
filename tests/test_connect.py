"""A socket opens: the ways of the token, what is refused and how, and what ``hello`` says."""

import contextlib
import uuid
from collections.abc import AsyncIterator, Iterator
from datetime import datetime
from typing import Any

import pytest

from tests.clients import Person, Socket, profile
from tests.minting import resigned
from tests.servers import Server, World, on_both_servers

pytestmark = on_both_servers

LISTED = "https://listed.example"
WAYS = ["header", "Bearer in capitals", "sub-protocol", "query", "first frame"]

BYE_INVALID = ("invalid_token", 4301, "reauthenticate")
BYE_EXPIRED = ("token_expired", 4300, "reauthenticate")
BYE_REVOKED = ("session_revoked", 4009, "no")
BYE_FORBIDDEN = ("forbidden", 4003, "no")


@pytest.fixture(scope="module")
def strict(world: World) -> Iterator[Server]:
    """A server that waits only a moment for a token, and knows one foreign page."""
    with world.beside({"authenticate_seconds": 3}, ALLOWED_ORIGINS=LISTED) as server:
        yield server


@contextlib.asynccontextmanager
async def opening(
    url: str, token: str, way: str, path: str = "/ws/", **options: Any
) -> AsyncIterator[Socket]:
    """Bring a token in one of the ways."""
    match way:
        case "header":
            options["additional_headers"] = {"Authorization": f"Bearer {token}"}
        case "Bearer in capitals":
            options["additional_headers"] = {"Authorization": f"BEARER {token}"}
        case "sub-protocol":
            options["subprotocols"] = ["gapless.v1", f"bearer.{token}"]
        case "query":
            path += f"?token={token}"
    async with Socket(url + path, **options) as socket:
        if way == "first frame":
            await socket.command("auth", token=token)
        yield socket


def socket_token(person: Person) -> str:
    """Get a token for one handshake."""
    return str(person.expect(201, "POST", "/auth/socket-token")["token"])


async def check_refused(socket: Socket, bye: tuple[str, int, str]) -> None:
    """Expect ``bye`` as the first frame and the last, and the code that it names."""
    reason, code, reconnect = bye
    first = await socket.receive()
    assert first == {"type": "bye", "code": code, "reason": reason, "reconnect": reconnect}
    assert await socket.closed() == ({}, code)


@pytest.mark.parametrize("kind", ["access", "socket"])
@pytest.mark.parametrize("way", WAYS)
async def test_either_token_opens_a_socket_in_each_way(alice: Person, way: str, kind: str) -> None:
    token = alice.tokens["access"] if kind == "access" else socket_token(alice)
    async with opening(alice.ws, token, way) as socket:
        await socket.opened()
        assert socket.hello["user"]["id"] == alice.id
        assert socket.hello["session_id"] == alice.tokens["session"]["id"]
        selected = "gapless.v1" if way == "sub-protocol" else None
        assert socket.connection.subprotocol == selected


async def test_hello_says_all_that_a_client_begins_with(alice: Person, bob: Person) -> None:
    alice.create_room(bob)
    discovery = alice.get("")
    sync = bob.get("/sync")
    async with bob.socket() as socket:
        hello = (await socket.opened()).hello
    uuid.UUID(hello.pop("connection_id"))
    now = datetime.fromisoformat(hello.pop("time"))
    assert abs((now - datetime.fromisoformat(sync["time"])).total_seconds()) < 60
    assert bob.tokens["expires_in"] - 60 < hello.pop("expires_in") <= bob.tokens["expires_in"]
    assert hello == {
        "type": "hello",
        "protocol": "gapless.v1",
        "user": profile(bob.user),
        "session_id": bob.tokens["session"]["id"],
        "epoch": sync["epoch"],
        "heartbeat_seconds": 25,
        "features": discovery["features"],
        "limits": discovery["limits"],
        "inbox": sync["inbox"],
    }
    assert hello["inbox"] == {"stream": bob.id, "head": 1}


async def test_hello_echoes_the_id_of_the_auth_that_asked_for_it(alice: Person) -> None:
    async with Socket(f"{alice.ws}/ws/") as socket:
        hello = await socket.ask("auth", token=alice.tokens["access"])
        assert (hello["type"], hello["user"]["id"]) == ("hello", alice.id)


@pytest.mark.parametrize("way", WAYS)
async def test_nonsense_is_refused_in_each_way(alice: Person, way: str) -> None:
    async with opening(alice.ws, "nonsense", way) as socket:
        await check_refused(socket, BYE_INVALID)


@pytest.mark.parametrize("way", ["query", "first frame"])
async def test_a_token_that_was_good_once_is_refused_by_its_cause(
    world: World, alice: Person, way: str
) -> None:
    access = alice.tokens["access"]
    used, expired = socket_token(alice), resigned(world, access, exp=1)
    refused = {
        expired: BYE_EXPIRED,
        resigned(world, access, sid=str(uuid.uuid4())): BYE_INVALID,
        resigned(world, access, typ="refresh"): BYE_INVALID,
        resigned(world, access, aud="another"): BYE_INVALID,
        alice.tokens["refresh"]: BYE_INVALID,
        used: BYE_INVALID,
    }
    async with opening(alice.ws, used, "query") as socket:
        await socket.opened()
    for token, bye in refused.items():
        async with opening(alice.ws, token, way) as socket:
            await check_refused(socket, bye)


@pytest.mark.parametrize("way", WAYS)
async def test_a_session_that_has_ended_opens_nothing(alice: Person, way: str) -> None:
    token = socket_token(alice)
    alice.expect(204, "POST", "/auth/logout")
    for ended in (token, alice.tokens["access"]):
        async with opening(alice.ws, ended, way) as socket:
            await check_refused(socket, BYE_REVOKED)


async def test_the_header_comes_before_the_sub_protocol_and_that_before_the_query(
    alice: Person, bob: Person, carol: Person
) -> None:
    header = {"Authorization": f"Bearer {alice.tokens['access']}"}
    offered: Any = ["gapless.v1", f"bearer.{bob.tokens['access']}"]
    url = f"{alice.ws}/ws/?token={carol.tokens['access']}"
    async with Socket(url, subprotocols=offered, additional_headers=header) as socket:
        assert (await socket.opened()).hello["user"]["id"] == alice.id
    async with Socket(url, subprotocols=offered) as socket:
        assert (await socket.opened()).hello["user"]["id"] == bob.id
    async with Socket(url, subprotocols=["gapless.v1"]) as socket:
        assert (await socket.opened()).hello["user"]["id"] == carol.id


async def test_a_bad_token_is_not_made_good_by_another(alice: Person) -> None:
    good = alice.tokens["access"]
    header = {"Authorization": "Bearer nonsense"}
    async with opening(alice.ws, good, "query", additional_headers=header) as socket:
        await check_refused(socket, BYE_INVALID)
    async with Socket(f"{alice.ws}/ws/?token={good}&token={good}") as socket:
        await check_refused(socket, BYE_INVALID)


async def test_another_scheme_than_bearer_is_no_token(alice: Person) -> None:
    header = {"Authorization": "Basic YTpi"}
    async with opening(
        alice.ws, alice.tokens["access"], "query", additional_headers=header
    ) as socket:
        assert (await socket.opened()).hello["user"]["id"] == alice.id


async def test_no_token_in_time_is_told_and_closed(strict: Server) -> None:
    async with Socket(f"{strict.ws}/ws/") as socket:
        early = await socket.ask("ping")
        assert (early["type"], early["code"]) == ("error", "not_authenticated")
        await check_refused(socket, ("not_authenticated_in_time", 4102, "backoff"))


async def test_a_token_in_time_stops_the_clock(strict: Server) -> None:
    alice = Person.register(strict.url, "alice")
    async with opening(alice.ws, alice.tokens["access"], "first frame") as socket:
        await socket.opened()
        with pytest.raises(TimeoutError):
            await socket.receive(seconds=4)


@pytest.mark.parametrize("kind", ["subscribe", "unsubscribe", "message.send", "history", "dance"])
async def test_nothing_is_done_before_hello(alice: Person, kind: str) -> None:
    async with Socket(f"{alice.ws}/ws/") as socket:
        await socket.command(kind, id="early", streams={alice.id: None})
        error = await socket.receive()
        assert error == {
            "type": "error",
            "id": "early",
            "code": "not_authenticated",
            "detail": "An access token is needed.",
            "retryable": False,
            "request_id": error["request_id"],
        }
        await socket.command("auth", token=alice.tokens["access"])
        await socket.opened()


@pytest.mark.parametrize(
    ("offered", "selected"),
    [
        (["chat.v9", "bearer.{token}"], "chat.v9"),
        (["bearer.{token}", "gapless.v2", "chat.v9"], "gapless.v2"),
        (["bearer.{token}"], None),
    ],
)
async def test_no_known_sub_protocol_is_told_under_one_that_is_no_token(
    alice: Person, offered: list[str], selected: str | None
) -> None:
    names: Any = [name.format(token=alice.tokens["access"]) for name in offered]
    async with Socket(f"{alice.ws}/ws/", subprotocols=names) as socket:
        assert socket.connection.subprotocol == selected
        await check_refused(socket, ("protocol_not_supported", 4005, "no"))


@pytest.mark.parametrize("origin", [None, "http://{host}", "https://{host}", LISTED])
async def test_pages_of_our_own_and_listed_ones_open_sockets(
    strict: Server, origin: str | None
) -> None:
    alice = Person.register(strict.url, "alice")
    page: Any = origin and origin.format(host=f"127.0.0.1:{strict.port}")
    async with alice.socket(origin=page) as socket:
        await socket.opened()


@pytest.mark.parametrize(
    "origin",
    [
        "null",
        "https://foreign.example",
        "http://127.0.0.1:1",
        "http://127.0.0.1.foreign.example",
        "http://foreign.example@{host}",
        LISTED + ":8443",
        "http://listed.example",
    ],
)
async def test_foreign_pages_open_nothing_and_use_no_token_up(strict: Server, origin: str) -> None:
    alice = Person.register(strict.url, "alice")
    page: Any = origin.format(host=f"127.0.0.1:{strict.port}")
    token = socket_token(alice)
    async with opening(strict.ws, token, "query", origin=page) as socket:
        await check_refused(socket, BYE_FORBIDDEN)
    async with opening(strict.ws, token, "query") as socket:
        await socket.opened()
