"""Migrations: what was recorded before a column came says in it what it would have said.

Naive form: the column begins with one value for all, so that members count as having been there
always, and what was scheduled is sent at once or never.
"""

from datetime import UTC, datetime, timedelta
from typing import Any

from tests.clients import Person, until
from tests.servers import World

BEFORE = "0013_drafts_and_scheduled"  # there were rooms, messages and what waits to be sent
SOON_SECONDS = 30.0  # migrating there and back takes less
WAIT_SECONDS = 180.0


def test_what_was_there_is_completed(alone: World) -> None:
    alice, bob = (Person.register(alone.server.url, name) for name in ("alice", "bob"))
    room = alice.create_room()["id"]
    early = alice.send(room)
    alice.expect(201, "PUT", f"/rooms/{room}/members/{bob.id}", json={})
    late = alice.send(room)
    bob.expect(200, "PUT", f"/rooms/{room}/read", json={"seq": late["seq"]})
    send_at = datetime.now(UTC) + timedelta(seconds=SOON_SECONDS)
    soon = {"text": "scheduled before", "send_at": send_at.isoformat()}
    alice.expect(201, "POST", f"/rooms/{room}/scheduled", json=soon)
    alone.server.stop()
    for target in ([BEFORE], []):
        done = alone.manage("migrate", "api", *target)
        assert done.returncode == 0, done.stderr
    alice = alice.at(alone.start().url)

    for message, readers in ((early, []), (late, [bob.id])):
        found = alice.get(f"/messages/{message['id']}/readers")["items"]
        assert [item["user"]["id"] for item in found] == readers

    def newest() -> Any:
        (message,) = alice.get(f"/rooms/{room}/messages?limit=1")["items"]
        return message["text"] == "scheduled before" and message

    assert datetime.fromisoformat(until(newest, WAIT_SECONDS)["created_at"]) >= send_at
