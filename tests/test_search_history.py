"""Real conversations of others are searched: every count is also taken from the file itself."""

import json
import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from tests.clients import Person
from tests.exports import counts, enter, export, find, load
from tests.servers import PROJECT, World

HISTORY = PROJECT.parent / "shared" / "data" / "ubuntu-irc.jsonl"
if not HISTORY.exists():
    HISTORY = PROJECT / "demo" / "ubuntu-irc.jsonl"
LINES = [json.loads(line) for line in HISTORY.read_text().splitlines()][:4_000]
NOON = "2004-12-25T12:00:00Z"


@pytest.fixture(scope="module")
def reader(world: World, tmp_path_factory: pytest.TempPathFactory) -> Person:
    """Somebody in the rooms of the history."""
    rooms = {line["room"] for line in LINES}
    path: Path = export(tmp_path_factory.mktemp("history"), *LINES)
    summary, refused = load(world, path)
    assert (summary, refused) == (counts(len(LINES), rooms=len(rooms)), [])
    person = Person.register(world.server.url, "reader")
    for room in rooms:
        enter(person, room)
    return person


def found(person: Person, **params: str) -> list[tuple[str, str]]:
    """Return times and texts of all that is found, page by page."""
    items: list[dict[str, Any]] = []
    cursor: dict[str, str] = {}
    while True:
        page = person.get("/search", params={"limit": "200", **params, **cursor})
        items += page["items"]
        if page["next_cursor"] is None:
            messages = [item["message"] for item in items]
            return [(message["created_at"], message["text"]) for message in messages]
        cursor = {"cursor": page["next_cursor"]}


def said(*patterns: str, without: str = "") -> list[tuple[str, str]]:
    """Return times and texts of the lines that all of these occur in as words, sorted."""
    return sorted(
        (line["at"].replace("Z", ".000Z"), line["text"])
        for line in LINES
        if all(_occurs(pattern, line["text"]) for pattern in patterns)
        and not (without and _occurs(without, line["text"]))
    )


def _occurs(pattern: str, text: str) -> bool:
    return re.search(rf"(?<![a-z0-9])(?:{pattern})(?![a-z0-9])", text.lower()) is not None


@pytest.mark.parametrize(
    ("q", "patterns", "without"),
    [
        ("ubuntu", ["ubuntu"], ""),
        ("the", ["the"], ""),
        ("ubuntu install", ["install", "ubuntu"], ""),
        ('"how do i"', [r"how[^a-z0-9]+do[^a-z0-9]+i"], ""),
        ("inst*", ["inst[a-z0-9]*"], ""),
        ("install -apt", ["install"], "apt"),
        ("apt-get", [r"apt[^a-z0-9]+get"], ""),
        ("xyzzy", ["xyzzy"], ""),
    ],
)
def test_all_that_is_in_the_file_is_found_the_newest_first(
    reader: Person, q: str, patterns: list[str], without: str
) -> None:
    items = found(reader, q=q)
    expected = said(*patterns, without=without)
    assert (len(expected) > 0) == (q != "xyzzy")
    assert sorted(items) == expected
    assert [at for at, _ in items] == sorted((at for at, _ in items), reverse=True)
    ranked = found(reader, q=q, order="rank")
    assert sorted(ranked) == sorted(items[:1_000])


def test_it_is_found_by_person_and_by_time(reader: Person) -> None:
    nick = LINES[1]["from"]
    message = reader.get("/search", params={"q": LINES[1]["text"]})["items"][-1]["message"]
    assert message["sender"]["display_name"] == nick
    hers = sorted(line["text"] for line in LINES if line["from"].lower() == nick.lower())
    assert sorted(text for _, text in found(reader, **{"from": message["sender"]["id"]})) == hers
    noon = datetime(2004, 12, 25, 12, tzinfo=UTC)
    early = [item for item in said("ubuntu") if datetime.fromisoformat(item[0]) < noon]
    late = [item for item in said("ubuntu") if datetime.fromisoformat(item[0]) >= noon]
    assert sorted(found(reader, q="ubuntu", before=NOON)) == early
    assert sorted(found(reader, q="ubuntu", after=NOON)) == late
    assert early


def test_a_room_is_searched_alone(reader: Person) -> None:
    name = LINES[0]["room"]
    room = next(item for item in reader.get("/rooms")["items"] if item["name"] == name)
    expected = sorted(
        line["text"] for line in LINES if line["room"] == name and _occurs("ubuntu", line["text"])
    )
    assert sorted(text for _, text in found(reader, q="ubuntu", room=room["id"])) == expected
    outsider = Person.register(reader.url, "outsider")
    assert found(outsider, q="ubuntu") == []
    assert find(outsider, name) is not None
