"""A line of an export that is no message is told with its number and left out."""

import fcntl
import json
import os
import pty
import re
import struct
import subprocess
import sys
import termios
from pathlib import Path
from typing import Any

import pytest

from tests.clients import Person
from tests.exports import counts, enter, export, find, line, load, said
from tests.servers import PROJECT, World

DEADLINE_SECONDS = 120
NO_JSON = "It is not JSON."
NO_TIME = "/at: Invalid RFC3339 encoded datetime."
TAKEN = "/n: Another message has this place in the room."
UNKNOWN = "/reply_to: There is no such message in this room."
BLANK = "/text: A message says something."


def broken(**fields: Any) -> dict[str, Any]:
    """Return a line of the room ``broken`` that is good but for these fields."""
    return line("broken", 90) | fields


BROKEN: list[tuple[dict[str, Any] | bytes, str]] = [
    (b"", NO_JSON),
    (b"hello", NO_JSON),
    (b'{"room": "broken"', NO_JSON),
    (b'\xff\xfe{"room": "broken"}', NO_JSON),
    (json.dumps(broken(text="x" * 1024**2)).encode(), "More than 1048576 bytes."),
    (b"[1, 2]", "Expected 'object', got 'array'."),
    ({"room": "broken", "n": 90}, "/at: Object missing required field 'at'."),
    (broken(nick="x"), "/nick: Object contains unknown field 'nick'."),
    (broken(n="90"), "/n: Expected 'int', got 'str'."),
    (broken(n=True), "/n: Expected 'int', got 'bool'."),
    (broken(n=-1), "/n: Expected 'int' >= 0."),
    (broken(n=2**53), "An integer is outside ±(2^53 - 1)."),
    (broken(text=None), "/text: Expected 'str', got 'null'."),
    (broken(text=""), BLANK),
    (broken(text=" \n\u3000"), BLANK),
    (broken(text="x" * 10_001), "/text: More than 10000 characters."),
    (broken(text="a\0b"), "A string has a NUL character."),
    (broken(text="\ud800"), "A string has half of a surrogate pair."),
    (broken(at="yesterday"), NO_TIME),
    (broken(at="2004-13-25T09:14:00Z"), NO_TIME),
    (broken(at="2004-12-25T09:14:00"), "/at: Expected 'datetime' with a timezone component."),
    (broken(at="0001-01-01T00:00:00+12:00"), "'at' is outside the years 1 to 9999."),
    (broken(at=1_103_966_040), "/at: Expected 'datetime', got 'int'."),
    (broken(**{"from": " "}), "/from: Expected more than white space."),
    (broken(**{"from": "x" * 101}), "/from: Expected 'str' of length <= 100."),
    (broken(**{"from": "ﷺ" * 100}), "'from' has more than 100 characters."),
    (broken(room=""), "/room: Expected 'str' of length >= 1."),
    (broken(reply_to="0"), "/reply_to: Expected 'int | null', got 'str'."),
    (broken(n=0, text="other"), TAKEN),
    (broken(n=0, **{"from": "eve"}), TAKEN),
    (broken(n=90, reply_to=91), UNKNOWN),
    (broken(n=91, reply_to=91), UNKNOWN),
    (broken(n=92, reply_to=50), UNKNOWN),
    (broken(room="broken 2", reply_to=1), UNKNOWN),
]


def test_broken_lines_are_told_with_their_numbers_and_left_out(
    world: World, alice: Person, tmp_path: Path
) -> None:
    first, last = line("broken", 0), line("broken", 1, "still here", reply_to=0)
    path = export(tmp_path, first, *(raw for raw, _ in BROKEN), last)
    expected = [f"line {number}: {reason}" for number, (_, reason) in enumerate(BROKEN, 2)]

    done, told = load(world, path)

    assert done == counts(2, refused=len(BROKEN))
    assert sorted(told, key=lambda text: int(re.findall(r"\d+", text)[0])) == expected
    assert find(alice, "broken 2") is None
    room = enter(alice, "broken")
    assert said(alice, room) == ["hello", "still here"]
    assert load(world, path) == (counts(0, known=2, refused=len(BROKEN)), told)
    assert said(alice, room) == ["hello", "still here"]


def test_times_may_be_of_any_year(world: World, alice: Person, tmp_path: Path) -> None:
    times = {
        "0001-01-01T00:00:00Z": "0001-01-01T00:00:00.000Z",
        "1970-01-01T00:59:59.9999+01:00": "1969-12-31T23:59:59.999Z",
        "9999-12-31t23:59:59.999z": "9999-12-31T23:59:59.999Z",
    }
    load(world, export(tmp_path, *(line("times", n, at=at) for n, at in enumerate(times))))
    items = alice.get(f"/rooms/{enter(alice, 'times')}/messages")["items"]
    assert [item["created_at"] for item in items] == list(times.values())


def test_somebody_who_watches_sees_a_bar_and_the_broken_lines_on_lines_of_their_own(
    embedded: World, tmp_path: Path
) -> None:
    lines = [line("watched", n) for n in range(20)]
    path = export(tmp_path, *lines, b"oops", line("watched", 20))
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
    command = [sys.executable, "manage.py", "import_history", str(path)]
    done = subprocess.run(
        command,
        cwd=PROJECT,
        env=embedded.env | {"TERM": "xterm"},
        stdout=subprocess.PIPE,
        stderr=theirs,
        timeout=DEADLINE_SECONDS,
        check=True,
    )
    os.close(theirs)
    shown = os.read(ours, 1024**2).decode()
    os.close(ours)
    assert done.stdout.decode().strip() == counts(21, refused=1)
    assert "100%|" in shown
    assert f"{path.stat().st_size / 1000:.2f}k" in shown
    assert re.search(r"\r(\x1b\[[0-9;]*m)?line 21: It is not JSON\.", shown)


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["{folder}/nothing.jsonl"], "CommandError: {folder}/nothing.jsonl: No such file"),
        (["{folder}"], "CommandError: {folder}: Is a directory"),
        (["{folder}/x", "--owner", "no.body"], "CommandError: There is nobody called no.body."),
    ],
)
def test_what_cannot_be_begun_is_said_in_one_line(
    embedded: World, tmp_path: Path, arguments: list[str], told: str
) -> None:
    given = [argument.format(folder=tmp_path) for argument in arguments]
    done = embedded.manage("import_history", *given)
    assert done.returncode == 1
    assert done.stderr.startswith(told.format(folder=tmp_path))
    assert len(done.stderr.splitlines()) == 1
