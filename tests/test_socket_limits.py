"""What a socket may do, and how long it lives: rates, sizes, age, tokens, sessions."""

import asyncio
import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.clients import PASSWORD, Person, Socket
from tests.servers import Server, World, on_both_servers

pytestmark = on_both_servers

NOWHERE = "01890000-0000-7000-8000-000000000000"
REVOKED = {"type": "bye", "code": 4009, "reason": "session_revoked", "reconnect": "no"}
EXPIRED = {"type": "bye", "code": 4300, "reason": "token_expired", "reconnect": "reauthenticate"}


@pytest.fixture(scope="module")
def narrow(world: World) -> Iterator[Server]:
    """A server that takes few commands, and short ones."""
    limits = {"commands_per_second": 1, "commands_burst": 3, "frame_bytes": 2048}
    with world.beside(limits) as server:
        yield server


@pytest.fixture(scope="module")
def fleeting(world: World) -> Iterator[Server]:
    """A server whose access tokens end soon."""
    with world.beside({"access_token_seconds": 6}) as server:
        yield server


def socket_token(person: Person) -> str:
    """Get a token for one handshake."""
    return str(person.expect(201, "POST", "/auth/socket-token")["token"])


def refreshed(person: Person) -> str:
    """Get the next access token."""
    body = {"refresh": person.tokens["refresh"]}
    return str(person.expect(200, "POST", "/auth/refresh", json=body)["access"])


async def answers(socket: Socket) -> bool:
    """Tell whether the socket is open."""
    reply = await socket.ask("ping")
    return bool(reply["type"] == "pong")


async def test_more_commands_than_the_burst_are_refused_for_a_moment(narrow: Server) -> None:
    alice = Person.register(narrow.url, "alice")
    async with alice.socket() as socket:
        await socket.opened()
        for _ in range(100):
            assert await answers(socket), "ping is free"
        replies = [await socket.ask("unsubscribe", streams=[NOWHERE]) for _ in range(10)]
        assert [reply["type"] for reply in replies[:3]] == ["ok"] * 3
        refusal = replies[-1]
        assert refusal == {
            "type": "error",
            "id": refusal["id"],
            "code": "rate_limited",
            "detail": "Too much at once.",
            "retryable": True,
            "retry_after": 1,
            "request_id": refusal["request_id"],
        }
        await asyncio.sleep(refusal["retry_after"])
        assert (await socket.ask("unsubscribe", streams=[NOWHERE]))["type"] == "ok"


async def test_sixty_refusals_in_a_minute_close_the_socket(narrow: Server) -> None:
    alice = Person.register(narrow.url, "alice")
    async with alice.socket() as socket:
        await socket.opened()
        for _ in range(90):
            await socket.command("unsubscribe", streams=[NOWHERE])
        frames: list[dict[str, Any]] = []
        while not frames or frames[-1]["type"] != "bye":
            frames.append(await socket.receive())
        refusals = [frame for frame in frames if frame.get("code") == "rate_limited"]
        assert len(refusals) == 60
        bye = {"type": "bye", "code": 4108, "reason": "rate_limited", "reconnect": "backoff"}
        assert frames[-1] == bye
        assert await socket.closed() == ({}, 4108)


async def test_a_frame_may_be_as_long_as_the_limit_and_no_longer(narrow: Server) -> None:
    alice = Person.register(narrow.url, "alice")
    empty = len(json.dumps({"type": "dance", "id": 1, "text": ""}))
    async with alice.socket() as socket:
        limit = (await socket.opened()).hello["limits"]["frame_bytes"]
        await socket.command("dance", id=1, text="x" * (limit - empty))
        assert (await socket.receive())["code"] == "not_supported"
        await socket.command("dance", id=1, text="x" * (limit - empty + 1))
        bye = {"type": "bye", "code": 1009, "reason": "message_too_big", "reconnect": "backoff"}
        assert await socket.closed() == (bye, 4000 if narrow.daphne else 1009)


async def test_a_socket_ends_at_its_age(world: World) -> None:
    with world.beside({"socket_age": 0.5}) as server:
        alice = Person.register(server.url, "alice")
        async with alice.socket() as socket:
            await socket.opened()
            bye = {"type": "bye", "code": 4201, "reason": "socket_age", "reconnect": "now"}
            assert await socket.closed() == (bye, 4201)


async def test_a_socket_lives_as_long_as_what_it_was_opened_or_renewed_with(
    fleeting: Server,
) -> None:
    alice = Person.register(fleeting.url, "alice")
    own = Socket(f"{alice.ws}/ws/?token={socket_token(alice)}")
    async with own, alice.socket() as left, alice.socket() as renewed, alice.socket() as kept:
        await own.opened()
        assert own.hello["expires_in"] > 80_000
        for socket in (left, renewed, kept):
            await socket.opened()
            assert socket.hello["expires_in"] <= 6
        warning = await left.until("auth.expiring")
        assert warning == {"type": "auth.expiring", "expires_in": warning["expires_in"]}
        assert 0 <= warning["expires_in"] <= 4

        longer = await kept.ok("auth", token=socket_token(alice))
        assert longer["expires_in"] > 80_000
        reply = await renewed.ask("auth", token=refreshed(alice))
        assert reply == {"type": "ok", "id": reply["id"], "expires_in": reply["expires_in"]}
        assert 1 <= reply["expires_in"] <= 6

        await renewed.until("auth.expiring")
        assert await left.closed() == (EXPIRED, 4300)
        assert await renewed.closed() == (EXPIRED, 4300)
        assert await answers(kept)
        assert await answers(own)


async def test_only_a_token_of_the_same_session_renews(alice: Person, bob: Person) -> None:
    used = socket_token(alice)
    async with Socket(f"{alice.ws}/ws/?token={used}") as socket:
        await socket.opened()
        for token, code in [
            (bob.tokens["access"], "conflict"),
            (alice.login().tokens["access"], "conflict"),
            (used, "invalid_token"),
            ("nonsense", "invalid_token"),
        ]:
            reply = await socket.ask("auth", token=token)
            assert (reply["type"], reply["code"]) == ("error", code)
        assert await answers(socket)


def logout(person: Person) -> None:
    """End this session."""
    person.expect(204, "POST", "/auth/logout")


def delete_session(person: Person) -> None:
    """End this session from another device."""
    person.login().expect(204, "DELETE", f"/auth/sessions/{person.tokens['session']['id']}")


def change_password(person: Person) -> None:
    """End this session by what ends every other one."""
    body = {"current_password": PASSWORD, "new_password": PASSWORD + "!"}
    person.login().expect(204, "POST", "/auth/password", json=body)


@pytest.mark.parametrize("end", [logout, delete_session, change_password])
async def test_the_sockets_of_a_session_end_with_it(
    alice: Person, bob: Person, end: Callable[[Person], None]
) -> None:
    room = alice.create_room(bob)["id"]
    async with bob.socket() as first, bob.socket(f"/ws/rooms/{room}/") as second:
        await first.opened()
        await second.opened()
        await first.subscribe(room)
        end(bob)
        alice.send(room, "not for this session")
        for socket in (first, second):
            assert await socket.closed() == (REVOKED, 4009)
            told = [event["data"]["session_ids"] for event in socket.of(bob.id)]
            assert told == [[bob.tokens["session"]["id"]]]
            assert socket.of(room) == []


async def test_other_devices_hear_of_it_and_stay(alice: Person) -> None:
    other = alice.login()
    async with alice.socket() as ended, other.socket() as staying:
        await ended.opened()
        await staying.opened()
        logout(alice)
        assert await ended.closed() == (REVOKED, 4009)
        event = await staying.until("session.revoked")
        assert event["data"] == {"session_ids": [alice.tokens["session"]["id"]]}
        assert await answers(staying)


async def test_logging_out_everywhere_ends_every_device(alice: Person, bob: Person) -> None:
    people: list[Any] = [alice, alice.login(), alice.login()]
    async with (
        people[0].socket() as one,
        people[1].socket() as two,
        people[2].socket() as three,
        bob.socket() as others,
    ):
        for socket in (one, two, three, others):
            await socket.opened()
        alice.expect(204, "POST", "/auth/logout-all")
        for socket in (one, two, three):
            assert await socket.closed() == (REVOKED, 4009)
        assert await answers(others)
