"""What operators do about people: keep them out, let them in, sign them out, set passwords."""

import asyncio
import subprocess
import sys
import uuid

import pytest

from tests.clients import PASSWORD, Person, Socket
from tests.record import change, in_seconds
from tests.servers import PROJECT, World

REVOKED = ({"type": "bye", "code": 4009, "reason": "session_revoked", "reconnect": "no"}, 4009)
ENDED_SECONDS = 5  # without Redis; with it test_ended_access measures
NEW = "an entirely new one"
COMMANDS = ["disable_user", "enable_user", "revoke_sessions", "set_password"]


def operate(
    world: World, *arguments: str, given: str = NEW + "\n"
) -> subprocess.CompletedProcess[str]:
    """Run a command as an operator does; ``given`` is its standard input."""
    return subprocess.run(
        [sys.executable, "manage.py", *arguments],
        cwd=PROJECT,
        env=world.env,
        input=given,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


def login(person: Person, password: str = PASSWORD) -> int:
    """Try to sign in; return the status."""
    body = {"username": person.name, "password": password}
    return Person(person.url, {}).call("POST", "/auth/login", json=body).status_code


async def check_out(person: Person) -> None:
    """Expect that this session is over, at every door."""
    person.refused(401, "session_revoked", "GET", "/me")
    person.refused(401, "session_revoked", "POST", "/auth/socket-token")
    body = {"refresh": person.tokens["refresh"]}
    Person(person.url, {}).refused(401, "session_revoked", "POST", "/auth/refresh", json=body)
    async with person.socket() as socket:
        assert await socket.closed() == REVOKED


@pytest.mark.parametrize(
    ("command", "said", "may_sign_in"),
    [
        ("disable_user", "is out.", False),
        ("revoke_sessions", "is signed out everywhere.", True),
        ("set_password", "has another password, and is signed out everywhere.", False),
    ],
)
async def test_command_ends_every_session_and_closes_its_sockets(
    world: World, alice: Person, bob: Person, command: str, said: str, may_sign_in: bool
) -> None:
    """Against a flag in the database that nobody tells the sockets of."""
    phone = alice.login("phone").at(world.other.url)
    token = alice.expect(201, "POST", "/auth/socket-token")["token"]
    by_token = Socket(f"{alice.ws}/ws/?token={token}")
    async with alice.socket() as one, phone.socket() as two, by_token, bob.socket() as other:
        for socket in (one, two, by_token, other):
            await socket.opened()
        done = await asyncio.to_thread(operate, world, command, alice.name.upper())
        assert (done.returncode, done.stdout) == (0, f"{alice.name} {said}\n"), done.stderr
        for socket in (one, two, by_token):
            assert await socket.closed(ENDED_SECONDS) == REVOKED
        assert (await other.ask("ping"))["type"] == "pong"
    for ended in (alice, phone):
        await check_out(ended)
    assert login(alice) == (200 if may_sign_in else 401)
    assert NEW not in done.stdout + done.stderr


def test_who_is_let_in_again_signs_in_and_what_was_ended_stays_ended(
    world: World, alice: Person
) -> None:
    for _ in range(2):
        assert operate(world, "disable_user", alice.name).returncode == 0
    assert login(alice) == 401
    for _ in range(2):
        done = operate(world, "enable_user", alice.name)
        assert (done.returncode, done.stdout) == (0, f"{alice.name} may sign in.\n")
    alice.refused(401, "session_revoked", "GET", "/me")
    assert alice.login().get("/me") == alice.user


def test_password_is_read_from_standard_input(world: World, alice: Person) -> None:
    assert operate(world, "set_password", alice.name, given=f" {NEW} \r\nmore\n").returncode == 0
    assert [login(alice, password) for password in (PASSWORD, NEW, f" {NEW} ")] == [401, 401, 200]


@pytest.mark.parametrize("given", ["short\n", "password1234\n", "\n", "", "x" * 257])
def test_refused_password_changes_nothing(embedded: World, given: str) -> None:
    alice = Person.register(embedded.server.url, "alice")
    done = operate(embedded, "set_password", alice.name, given=given)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.count("\n") == 1
    assert alice.login().get("/me") == alice.get("/me")


def test_password_is_no_argument(embedded: World) -> None:
    alice = Person.register(embedded.server.url, "alice")
    assert operate(embedded, "set_password", alice.name, NEW).returncode == 2
    assert login(alice) == 200


@pytest.mark.parametrize("command", COMMANDS)
def test_nobody_of_this_name_is_told(embedded: World, command: str) -> None:
    done = operate(embedded, command, "nobody-at-all")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == "CommandError: There is nobody called nobody-at-all.\n"


@pytest.mark.parametrize("column", ["disabled_at", "erased_at"])
async def test_who_is_disabled_or_erased_is_out_with_the_next_request(
    world: World, alice: Person, column: str
) -> None:
    """Against a token that is good by itself until it expires."""
    token = alice.expect(201, "POST", "/auth/socket-token")["token"]
    statement = f"UPDATE accounts_user SET {column} = %s WHERE id = %s"  # noqa: S608
    change(world, statement, in_seconds(0), uuid.UUID(alice.id))
    for door in (alice, alice.at(world.other.url)):
        await check_out(door)
    async with Socket(f"{alice.ws}/ws/?token={token}") as socket:
        assert await socket.closed() == REVOKED
    assert login(alice) == 401
