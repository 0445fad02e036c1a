"""Chat exports for tests: written, imported, and looked at through the front door."""

import json
import uuid
from pathlib import Path
from typing import Any

from tests.clients import Person
from tests.servers import World

MORNING = "2004-12-25T09:14:00Z"


def line(room: str, n: Any, text: Any = "hello", **more: Any) -> dict[str, Any]:
    """Return a line of an export; ``sender`` is its ``from``."""
    sender = more.pop("sender", "dave")
    fields = {"room": room, "n": n, "at": MORNING, "from": sender, "text": text, "reply_to": None}
    return fields | more


def export(folder: Path, *lines: dict[str, Any] | bytes) -> Path:
    """Write an export; bytes are written as they are."""
    path = folder / f"{uuid.uuid4()}.jsonl"
    encoded = [item if isinstance(item, bytes) else json.dumps(item).encode() for item in lines]
    path.write_bytes(b"".join(item + b"\n" for item in encoded))
    return path


def load(world: World, path: Path, *arguments: str) -> tuple[str, list[str]]:
    """Import a file; return what was said in the end, and what was told of its lines."""
    done = world.manage("import_history", str(path), *arguments)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip(), done.stderr.splitlines()


def counts(added: int, known: int = 0, refused: int = 0, rooms: int = 1) -> str:
    """Return what an import says in the end."""
    return (
        f"{added} messages added in {rooms} rooms; "
        f"{known} were there already; {refused} lines refused."
    )


def find(person: Person, name: str) -> dict[str, Any] | None:
    """Return the public room of this name that one may join, if there is one."""
    found = person.get("/rooms", params={"scope": "public", "q": name})["items"]
    rooms: list[dict[str, Any]] = [room for room in found if room["name"] == name]
    return rooms[0] if rooms else None


def enter(person: Person, name: str) -> str:
    """Join a room that has been imported; return its id."""
    room = find(person, name)
    assert room is not None
    person.expect(200, "POST", f"/rooms/{room['id']}/join")
    return str(room["id"])


def said(person: Person, room: str) -> list[str]:
    """Return what was said in a room, in order; its events have no hole."""
    events = person.events(room)
    assert [event["seq"] for event in events] == list(range(1, len(events) + 1))
    return [event["data"]["text"] for event in events if event["type"] == "message.created"]


def people(person: Person, room: str) -> dict[str, dict[str, Any]]:
    """Return the others in a room by the names they are shown under."""
    members = person.get(f"/rooms/{room}/members?limit=200")["items"]
    users = [member["user"] for member in members]
    return {user["display_name"]: user for user in users if user["id"] != person.id}
