"""Fetch, act, apply, compare: every kind of event keeps a copy as true as a fresh look.

Naive forms that would fail: an event that leaves out a field, or carries one that is not so for
everybody; counts that go up and down instead of being counted; a change without an event.
"""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

import pytest

from api.events import EVENTS
from tests.clients import PASSWORD, Person
from tests.replica import comparable, fetched, kept_up
from tests.servers import World


class Stage(NamedTuple):
    """Alice owns the room, bob looks, carol is in it too; something has been said."""

    alice: Person
    bob: Person
    carol: Person
    dave: Person  # outside
    room: str
    other: str  # a room of alice's own
    said: dict[str, Any]
    thread: dict[str, Any]  # a root with a reply of bob's
    world: World

    @property
    def path(self) -> str:
        return f"/rooms/{self.room}"

    @property
    def message(self) -> str:
        return f"/messages/{self.said['id']}"

    def member(self, person: Person) -> str:
        return f"{self.path}/members/{person.id}"


Act = Callable[[Stage], Any]


def _reactions(it: Stage) -> None:
    for person in (it.alice, it.bob, it.carol):
        person.call("PUT", f"{it.message}/reactions/👍")
    it.carol.call("PUT", f"{it.message}/reactions/:party:")


def _fewer_reactions(it: Stage) -> None:
    _reactions(it)
    for person in (it.bob, it.carol):
        person.call("DELETE", f"{it.message}/reactions/👍")
    it.carol.call("DELETE", f"{it.message}/reactions/:party:")


def _messages_deleted(it: Stage) -> None:
    said = [it.carol.send(it.room, f"{n} @room")["seq"] for n in range(3)]
    ranges = [[it.said["seq"], it.said["seq"]], [said[1], said[2]]]
    it.alice.expect(200, "POST", f"{it.path}/messages/delete", json={"ranges": ranges})


def _read(it: Stage) -> None:
    it.carol.send(it.room, f"hello @{it.bob.name}")
    it.bob.expect(200, "PUT", f"{it.path}/read", json={"seq": it.said["seq"]})


def _then(first: Act, second: Act) -> Act:
    def both(it: Stage) -> None:
        first(it)
        second(it)

    return both


def _scheduled(it: Stage) -> None:
    later = (datetime.now(UTC) + timedelta(hours=1)).isoformat()
    body = {"text": "later", "send_at": later}
    it.bob.expect(201, "POST", f"{it.path}/scheduled", json=body)
    gone = it.bob.expect(201, "POST", f"{it.path}/scheduled", json=body)
    it.bob.expect(204, "DELETE", f"{it.path}/scheduled/{gone['id']}")


def _thread_read(it: Stage) -> None:
    seqs = [it.carol.send(it.room, f"{n}", thread_id=it.thread["id"])["seq"] for n in range(3)]
    it.carol.call("DELETE", f"/messages/{it.said['id']}")
    body = {"seq": seqs[1]}
    it.bob.expect(200, "PUT", f"/messages/{it.thread['id']}/thread/read", json=body)


def _notice(it: Stage) -> None:
    assert it.world.manage("notify", it.bob.name, "hello").returncode == 0


def _pin(it: Stage) -> None:
    it.alice.call("PUT", f"{it.message}/pin")


def _ban(it: Stage, person: Person) -> Any:
    return it.alice.call("PUT", f"{it.path}/bans/{person.id}", json={})


def _mute(it: Stage) -> None:
    it.alice.call("PUT", f"{it.path}/mutes/{it.bob.id}", json={})


def _block(it: Stage) -> None:
    it.bob.call("PUT", f"/blocks/{it.carol.id}")


def _draft(it: Stage) -> None:
    it.bob.call("PUT", f"{it.path}/draft", json={"text": "begun"})
    it.bob.call("DELETE", f"{it.path}/draft")
    it.bob.call("PUT", f"{it.path}/draft", json={"text": "begun again"})


ACTS: dict[str, Act] = {
    "message.created": lambda it: it.carol.send(it.room, f"hello @{it.bob.name} and @room"),
    "message.edited": lambda it: it.carol.call("PATCH", it.message, json={"text": "@room new"}),
    "message.deleted": _then(_reactions, lambda it: it.carol.call("DELETE", it.message)),
    "message.pinned": _pin,
    "message.unpinned": _then(_pin, lambda it: it.alice.call("DELETE", f"{it.message}/pin")),
    "messages.deleted": _messages_deleted,
    "reaction.added": _reactions,
    "reaction.removed": _fewer_reactions,
    "member.joined": lambda it: it.alice.call("PUT", it.member(it.dave), json={}),
    "member.left": lambda it: it.carol.call("POST", f"{it.path}/leave"),
    "member.removed": lambda it: it.alice.call("DELETE", it.member(it.carol)),
    "member.banned": lambda it: (_ban(it, it.carol), _ban(it, it.dave)),
    "member.unbanned": lambda it: (
        _ban(it, it.carol),
        it.alice.call("DELETE", f"{it.path}/bans/{it.carol.id}"),
    ),
    "member.muted": _mute,
    "member.unmuted": _then(
        _mute, lambda it: it.alice.call("DELETE", f"{it.path}/mutes/{it.bob.id}")
    ),
    "member.role_changed": lambda it: it.alice.call(
        "PATCH", it.member(it.bob), json={"role": "moderator"}
    ),
    "room.updated": lambda it: it.alice.call(
        "PATCH", it.path, json={"name": "new", "metadata": {"a": 1}, "slow_mode_seconds": 5}
    ),
    "room.archived": lambda it: it.alice.call("PATCH", it.path, json={"archived": True}),
    "room.deleted": lambda it: it.alice.call("DELETE", it.path),
    "room.added": lambda it: it.alice.call(
        "PUT", f"/rooms/{it.other}/members/{it.bob.id}", json={}
    ),
    "room.removed": lambda it: it.alice.call("DELETE", it.member(it.bob)),
    "read.moved": _read,
    "thread.read": _thread_read,
    "notification.created": _notice,
    "notification.read": _then(
        _notice,
        lambda it: it.bob.call("POST", "/notifications/read", json={"up_to": 10**6}),
    ),
    "block.added": _block,
    "block.removed": _then(_block, lambda it: it.bob.call("DELETE", f"/blocks/{it.carol.id}")),
    "preferences.updated": lambda it: it.bob.call(
        "PATCH", f"{it.path}/preferences", json={"favourite": True, "hidden": True}
    ),
    "draft.updated": _draft,
    "scheduled.updated": _scheduled,
    "presence.updated": lambda it: it.bob.call("PUT", "/me/presence", json={"status": "away"}),
    "me.updated": lambda it: it.bob.call("PATCH", "/me", json={"display_name": "Robert"}),
    "session.revoked": lambda it: (
        it.bob.login("phone").call("POST", "/auth/logout"),
        it.bob.call("GET", "/me"),
    ),
}


def test_every_kind_of_event_has_its_act() -> None:
    assert set(ACTS) == set(EVENTS)


@pytest.fixture
def stage(alice: Person, bob: Person, carol: Person, world: World) -> Stage:
    """The people and their room."""
    dave = Person.register(world.server.url, "dave")
    room, other = alice.create_room(bob, carol)["id"], alice.create_room()["id"]
    said = carol.send(room, f"before, @{bob.name}")
    thread = alice.send(room, "root")
    bob.send(room, "reply", thread_id=thread["id"])
    return Stage(alice, bob, carol, dave, room, other, said, thread, world)


@pytest.mark.parametrize("kind", ACTS)
def test_the_old_state_and_the_events_are_the_new_state(stage: Stage, kind: str) -> None:
    bob, rooms = stage.bob, (stage.room, stage.other)
    before = fetched(bob, *rooms)
    head, inbox = before["rooms"][stage.room]["last_seq"], bob.get("/sync")["inbox"]["head"]
    ACTS[kind](stage)
    events = bob.events(bob.id, inbox)
    if bob.call("GET", stage.path).status_code == 200:
        events += bob.events(stage.room, head)
    if kind != "room.deleted":
        assert kind in {event["type"] for event in events}
    after = fetched(bob, *rooms)
    applied = kept_up(before, events)
    if kind == "room.added":  # what is in a new room is fetched
        for held in ("messages", "members"):
            applied[held][stage.other] = after[held][stage.other]
        applied = kept_up(applied, [])
    assert comparable(applied) == comparable(after)
    assert comparable(kept_up(applied, events)) == comparable(after), "twice"
    assert comparable(kept_up(after, events)) == comparable(after), "to what is newer"
    assert PASSWORD not in str(events)
