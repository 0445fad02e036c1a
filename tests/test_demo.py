"""What ``manage.py demo`` prints works as it stands, pasted into a shell."""

import asyncio
import json
import os
import re
import secrets
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack, asynccontextmanager, contextmanager
from pathlib import Path
from typing import NamedTuple

import pytest

from tests import secrets_seen
from tests.backends import STOP_SECONDS, free_port
from tests.clients import Person, http
from tests.exports import export, line
from tests.servers import PROJECT, World, environment, manage, wait_ready

DEADLINE_SECONDS = 120
DATA = [
    json.loads(text) for text in (PROJECT / "demo" / "ubuntu-irc.jsonl").read_text().splitlines()
]
ROOM = [item for item in DATA if item["room"] == DATA[0]["room"]]
PASSWORD = "correct horse battery"


class Demo(NamedTuple):
    """A demonstration that is running."""

    url: str
    printed: str

    def block(self, first: str, last: str) -> str:
        """Return what stands from one line to another, both included, as one would copy it."""
        found = re.search(rf"^{first}$(\n.*)*?\n{last}$", self.printed, re.MULTILINE)
        assert found
        return found.group()

    def ada(self) -> Person:
        """Sign in as ada."""
        body = {"username": "ada", "password": PASSWORD}
        return Person(self.url, http.post(self.url + "/api/v1/auth/login", json=body).json())


@contextmanager
def running(folder: Path, port: int, *arguments: str) -> Iterator[Demo]:
    """Run the demonstration on a folder until the end of the block."""
    log = secrets_seen.new_log("demo")
    command = [sys.executable, "manage.py", "demo", "--port", str(port), *arguments]
    env = environment(DATA_DIR=str(folder))
    with (
        log.open("w") as out,
        subprocess.Popen(command, cwd=PROJECT, env=env, stdout=out, stderr=out) as process,
    ):
        try:
            url = f"http://127.0.0.1:{port}"
            wait_ready(url, process)
            yield Demo(url, log.read_text())
        finally:
            process.send_signal(signal.SIGTERM)
            assert process.wait(STOP_SECONDS) == 0


@asynccontextmanager
async def shell(commands: str) -> AsyncIterator[asyncio.StreamReader]:
    """Paste commands into a shell, and read what they print until the end of the block."""
    process = await asyncio.create_subprocess_exec(
        "bash", "-c", commands, stdout=asyncio.subprocess.PIPE, start_new_session=True
    )
    assert process.stdout
    try:
        yield process.stdout
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        await process.wait()


async def heard(lines: asyncio.StreamReader, text: str) -> list[str]:
    """Return the messages that are printed up to one that says this."""
    found: list[str] = []
    async with asyncio.timeout(DEADLINE_SECONDS):
        while not found or found[-1] != text:
            printed = (await lines.readline()).decode().rstrip("\n")
            if printed.count(" | ") >= 2:
                found.append(printed.split(" | ", 2)[2])
    return found


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of one demonstration, which is started more than once."""
    return tmp_path_factory.mktemp("demo")


def test_the_shell_commands_sign_in_read_and_send(folder: Path) -> None:
    with running(folder, free_port()) as demo:
        commands = demo.block("API=.*", r"  \$API/rooms/.*")
        done = subprocess.run(
            ["bash", "-c", commands], capture_output=True, timeout=DEADLINE_SECONDS, check=True
        )
        assert done.stderr == b""
        decoder = json.JSONDecoder()
        page, end = decoder.raw_decode(done.stdout.decode())
        sent, _ = decoder.raw_decode(done.stdout.decode(), end)
        assert [item["text"] for item in page["items"]] == [item["text"] for item in ROOM[-3:]]
        assert (sent["text"], sent["sender"]["username"]) == ("Hello from a shell.", "ada")

        ada = demo.ada()
        room = ada.get(f"/rooms/{sent['room_id']}")
        assert (room["name"], room["my_role"]) == (ROOM[0]["room"], "owner")
        assert room["last_message"]["id"] == sent["id"]
        assert room["member_count"] == len({item["from"] for item in ROOM}) + 2
        assert {found["name"] for found in ada.get("/rooms")["items"]} == {
            item["room"] for item in DATA
        }


async def test_the_python_commands_follow_the_room_also_over_a_restart(folder: Path) -> None:
    port = free_port()
    with ExitStack() as first:
        demo = first.enter_context(running(folder, port))
        commands = demo.block(".* - <<'END'", "END")
        (room,) = re.findall(r'room, since = "(.*?)"', commands)
        async with shell(commands) as lines:
            past = await heard(lines, ROOM[-1]["text"])
            assert past == [item["text"] for item in ROOM[-len(past) :]]
            demo.ada().send(room, "live")
            assert (await heard(lines, "live"))[-1] == "live"
            first.close()
            with running(folder, port) as again:
                again.ada().send(room, "after a restart")
                assert await heard(lines, "after a restart") == ["after a restart"]


def test_another_file_may_be_given_and_a_second_start_adds_nothing(tmp_path: Path) -> None:
    path = export(tmp_path, line("mine", 0, "one"), b"oops", line("mine", 1, "two", sender="ada"))
    for _ in range(2):
        with running(tmp_path, free_port(), "--data", str(path)) as demo:
            assert 'are in the room "mine"' in demo.printed
            assert "line 2: It is not JSON." in demo.printed
            ada = demo.ada()
            (room,) = ada.get("/rooms")["items"]
            items = ada.get(f"/rooms/{room['id']}/messages")["items"]
            assert [item["text"] for item in items] == ["one", "two"]
            assert items[1]["sender"]["id"] != ada.get("/me")["id"]
            kinds = [event["type"] for event in ada.events(room["id"])]
            assert kinds.count("member.joined") == 4


def test_it_refuses_production(tmp_path: Path) -> None:
    keys = {name: secrets.token_hex(32) for name in ("SECRET_KEY", "JWT_SIGNING_KEY")}
    production = {"ENVIRONMENT": "production", "ALLOWED_HOSTS": "chat.example.org", **keys}
    done = manage(environment(DATA_DIR=str(tmp_path), **production), "demo")
    assert done.returncode == 1
    assert done.stderr.startswith("CommandError: Not in production")
    assert not (tmp_path / "gapless.sqlite3").exists()


def test_it_leaves_a_database_alone_in_which_ada_is_somebody_else(alone: World) -> None:
    body = {"username": "ada", "password": "another password"}
    taken = http.post(alone.server.url + "/api/v1/auth/register", json=body)
    assert taken.status_code == 201
    done = alone.manage("demo", "--port", str(free_port()))
    assert done.returncode == 1
    assert done.stderr.startswith("CommandError: This database has another ada already")


@pytest.mark.parametrize(
    ("name", "content", "told"),
    [("nothing", None, "No such file or directory"), ("empty", b"", "it makes no room")],
)
def test_a_file_of_which_nothing_can_be_made_is_told(
    folder: Path, tmp_path: Path, name: str, content: bytes | None, told: str
) -> None:
    path = tmp_path / name
    if content is not None:
        path.write_bytes(content)
    done = manage(environment(DATA_DIR=str(folder)), "demo", "--data", str(path))
    assert done.returncode == 1
    assert done.stderr.startswith(f"CommandError: {path}: {told}")
