"""Everybody can take away what is recorded about them: all of it, nothing else, however much."""

import contextlib
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from bench.process import resident_kib
from tests.clients import Person
from tests.servers import World, one_world

MANY = 10_500
GROWTH_KIB = 8 * 1024  # what a process may take on; the export of many messages is 6 MiB


def lines_of(person: Person) -> list[dict[str, Any]]:
    """Return the lines of an export."""
    answer = person.call("GET", "/me/export")
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "application/x-ndjson"
    assert answer.headers["content-disposition"] == 'attachment; filename="export.jsonl"'
    found: list[dict[str, Any]] = [json.loads(line) for line in answer.content.splitlines()]
    assert all(set(line) == {"type", "data"} for line in found)
    assert found[-1] == {"type": "end", "data": {"lines": len(found) - 1}}
    return found


def of(lines: list[dict[str, Any]], kind: str) -> list[dict[str, Any]]:
    """Return what the lines of a kind say."""
    return [line["data"] for line in lines if line["type"] == kind]


def test_all_that_is_recorded_about_somebody_is_in_their_export(
    world: World, alice: Person, bob: Person, carol: Person
) -> None:
    assert world.manage("notify", bob.name, "something new").returncode == 0
    room, left = alice.create_room(bob)["id"], carol.create_room(bob)["id"]
    said = [bob.send(room, f"mine {number}", metadata={"n": number}) for number in range(3)]
    gone = bob.send(room, "taken back")
    bob.expect(200, "DELETE", f"/messages/{gone['id']}")
    hers = alice.send(room, f"hers, @{bob.name}")
    there = bob.send(left, "in a room that was left")
    bob.expect(204, "POST", f"/rooms/{left}/leave")
    for message, emoji in ((hers, "👍"), (said[0], "🎉"), (hers, "🎉")):
        bob.expect(200, "PUT", f"/messages/{message['id']}/reactions/{emoji}")
    alice.expect(200, "PUT", f"/messages/{said[0]['id']}/reactions/👍")
    bob.call("PUT", f"/blocks/{carol.id}")
    bob.expect(200, "PATCH", f"/rooms/{room}/preferences", json={"favourite": True})
    draft = bob.expect(200, "PUT", f"/rooms/{room}/draft", json={"text": "about to"})
    later = {"text": "soon", "send_at": f"{datetime.now(UTC) + timedelta(days=9):%FT%TZ}"}
    scheduled = bob.expect(201, "POST", f"/rooms/{room}/scheduled", json=later)
    file = bob.expect(201, "POST", "/uploads", files={"file": ("notes.txt", b"mine", "text/plain")})
    asking = carol.create_room(kind="public", join="request")["id"]
    asked = bob.expect(201, "POST", f"/rooms/{asking}/requests", json={"text": "It is me."})
    own = bob.create_room()["id"]
    invited = bob.expect(201, "POST", f"/rooms/{own}/invites", json={"user_id": carol.id})
    path = f"/messages/{hers['id']}/report"
    reported = bob.expect(201, "POST", path, json={"reason": "my words"})
    bob.send(room, "a reply", thread_id=hers["id"])
    wish = bob.expect(200, "PUT", "/me/presence", json={"status": "away"})
    phone = bob.login("phone")
    phone.expect(204, "POST", "/auth/logout")

    lines = lines_of(bob)

    kinds = list(dict.fromkeys(line["type"] for line in lines))
    assert kinds == [
        *("export", "profile", "presence", "session", "membership", "thread", "block"),
        *("request", "invite", "report", "notification", "draft", "scheduled", "file"),
        *("message", "reaction", "end"),
    ]
    assert of(lines, "export")[0]["user_id"] == bob.id
    assert of(lines, "profile") == [bob.get("/me")]
    (seen,) = of(lines, "presence")
    assert seen == wish | {"last_seen_at": seen["last_seen_at"]}
    (thread,) = of(lines, "thread")
    assert (thread["message_id"], thread["follows"]) == (hers["id"], True)
    assert of(lines, "request") == [asked]
    assert of(lines, "invite") == [invited]
    assert of(lines, "report") == [reported]
    (mine, _) = sorted(of(lines, "membership"), key=lambda item: item["room_id"] != room)
    assert (mine["room_id"], mine["role"], mine["favourite"]) == (room, "member", True)
    written = [bob.get(f"/messages/{message['id']}") for message in (*said, gone)]
    told = [
        {name: value for name, value in message.items() if name not in ("reactions", "thread")}
        for message in written
    ]
    messages = of(lines, "message")
    assert [item for item in messages if item["room_id"] == room][:-1] == told
    assert [item["text"] for item in messages if item["room_id"] == left] == [there["text"]]
    given = sorted((item["message_id"], item["emoji"]) for item in of(lines, "reaction"))
    assert given == sorted([(hers["id"], "👍"), (said[0]["id"], "🎉"), (hers["id"], "🎉")])
    assert of(lines, "notification") == bob.get("/notifications")["items"][::-1]
    assert [item["user"]["id"] for item in of(lines, "block")] == [carol.id]
    assert of(lines, "draft") == [draft]
    assert of(lines, "scheduled") == [scheduled]
    (sent,) = of(lines, "file")
    assert {name: sent[name] for name in file} == file
    sessions = {item["device"]: item["revoked_at"] for item in of(lines, "session")}
    assert sessions[""] is None
    assert sessions["phone"] is not None


def test_nothing_that_others_said_and_no_secret_is_in_it(alice: Person, bob: Person) -> None:
    room = alice.create_room(bob)["id"]
    alice.send(room, "something of hers, nobody else's")
    own = bob.send(room, "an answer")
    raw = bob.call("GET", "/me/export").text
    assert own["id"] in raw
    for secret in ("of hers", *(bob.tokens[name] for name in ("access", "refresh")), "argon2"):
        assert secret not in raw


def test_one_may_ask_once_an_hour_wherever(alice: Person, bob: Person, world: World) -> None:
    lines_of(alice)
    problem = alice.at(world.other.url).refused(429, "rate_limited", "GET", "/me/export")
    assert 3_500 < problem["retry_after"] <= 3_600
    lines_of(bob)
    bob.refused(400, "invalid_request", "GET", "/me/export?what=all")


@pytest.mark.parametrize("world", ["embedded", "clustered", "daphne"], indirect=True)
async def test_many_messages_come_in_order_and_take_no_memory(world: World) -> None:
    alice, bob = (Person.register(world.server.url, name) for name in ("alice", "bob"))
    rooms = [alice.create_room(bob)["id"] for _ in range(3)]
    for room in rooms:
        await alice.talk(room, MANY // 3)
        bob.send(room, "between")
    pid = world.server.process.pid
    bob.call("GET", "/me/export")
    before = resident_kib(pid)

    messages = of(lines_of(alice), "message")

    assert resident_kib(pid) - before < GROWTH_KIB
    assert [(m["room_id"], m["text"]) for m in messages] == [
        (room, str(number)) for room in sorted(rooms) for number in range(1, MANY // 3 + 1)
    ]


@one_world
async def test_an_export_ends_with_its_session(world: World) -> None:
    alice = Person.register(world.server.url, "alice")
    room = alice.create_room()["id"]
    await alice.talk(room, 6_000)
    second = alice.login()
    headers = {"Authorization": f"Bearer {second.tokens['access']}"}
    ended = False
    texts: list[str] = []
    asking = httpx.stream("GET", f"{alice.url}/api/v1/me/export", headers=headers)
    with contextlib.suppress(httpx.RemoteProtocolError), asking as answer:
        for line in answer.iter_lines():
            texts.append(line)
            if not ended:
                second.expect(204, "POST", "/auth/logout")
                ended = True
    assert json.loads(texts[0])["type"] == "export"
    assert len(texts) < 6_000
    assert '"type":"end"' not in "".join(texts)
