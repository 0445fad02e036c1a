"""Live and replay: who was there and who comes later end up knowing the same.

A conversation with every kind of event is followed live, and read again later through every
door. All of them are applied to nothing by one reducer, as a client would do it, and compared
with each other and with what a fresh look shows.
"""

import asyncio
import json
from collections.abc import Callable
from typing import Any

import pytest

from api.events import INBOX_EVENTS, ROOM_EVENTS
from tests.cast import LATER
from tests.clients import Person, Socket
from tests.known import Known
from tests.servers import World, one_world

Events = list[dict[str, Any]]

NOT_TO_BE_HEARD = {"room.deleted"}  # whoever could ask for it is no longer in the room
MAY_BE_LEFT_OUT = {  # contract §3.3
    *("read.moved", "me.updated", "session.revoked", "room.added"),
    *("block.added", "block.removed", "preferences.updated", "draft.updated"),
    *("scheduled.updated", "thread.read", "presence.updated"),
}


class Conversation:
    """Alice, who is there all the time, and what happens around her."""

    def __init__(self, world: World, alice: Person, bob: Person) -> None:
        self.world, self.alice, self.bob = world, alice, bob
        self.room: str = alice.create_room(name="room")["id"]
        self.begun = alice.events(alice.id) + alice.events(self.room)

    def happens(self) -> None:
        """Let something of many kinds happen that nothing overtakes."""
        alice, bob, room = self.alice, self.bob, self.room
        path = f"/rooms/{room}"
        carol = Person.register(alice.url, "carol")
        told = self.world.manage("notify", alice.name, "hello")
        assert told.returncode == 0, told.stderr
        for person in (bob, carol):
            alice.expect(201, "PUT", f"{path}/members/{person.id}", json={})
        alice.expect(200, "PATCH", f"{path}/members/{bob.id}", json={"role": "moderator"})
        bob.send(room, "kept", metadata={"a": 1}, client_msg_id="kept")
        carol.send(room, "kept as well")
        alice.expect(200, "PUT", f"{path}/read", json={"seq": 99})
        for method, status in (("PUT", 200), ("DELETE", 204)):
            alice.expect(status, method, f"{path}/mutes/{carol.id}")
        carol.expect(204, "POST", f"{path}/leave")
        for method, status in (("PUT", 201), ("DELETE", 204)):
            alice.expect(status, method, f"{path}/bans/{carol.id}")
        alice.expect(201, "PUT", f"/blocks/{carol.id}")
        alice.expect(200, "PATCH", f"{path}/preferences", json={"favourite": True})
        bob.create_room(alice, name="other")
        alice.expect(200, "PATCH", "/me", json={"display_name": "Alice B."})
        alice.login("phone").expect(204, "POST", "/auth/logout")

    def goes_on(self) -> None:
        """Let something happen that overtakes what was before."""
        alice, bob, room = self.alice, self.bob, self.room
        path = f"/rooms/{room}"
        alice.expect(200, "PUT", f"{path}/draft", json={"text": "begun"})
        alice.expect(201, "POST", f"{path}/scheduled", json=LATER)
        root = alice.send(room, "root")["id"]
        reply = bob.send(room, "reply", thread_id=root)["seq"]
        alice.expect(200, "PUT", f"/messages/{root}/thread/read", json={"seq": reply})
        alice.expect(200, "PUT", "/me/presence", json={"status": "away"})
        asked = bob.send(room, "old text, first")["id"]
        said = [alice.send(room, f"old text, {n}", reply_to_id=asked) for n in range(4)]
        for text in ("old text, second", "new text"):
            bob.expect(200, "PATCH", f"/messages/{asked}", json={"text": text})
        for message_id in (asked, said[0]["id"], said[1]["id"], said[3]["id"]):
            self.is_marked(f"/messages/{message_id}")
        alice.expect(200, "DELETE", f"/messages/{asked}/pin")
        alice.expect(200, "DELETE", f"/messages/{said[0]['id']}")
        ranges = [[said[0]["seq"], said[2]["seq"]]]
        alice.expect(200, "POST", f"{path}/messages/delete", json={"ranges": ranges})
        alice.expect(200, "PATCH", f"/messages/{said[3]['id']}", json={"text": "new text"})
        alice.expect(200, "PUT", f"{path}/read", json={"seq": 3, "backward": True})
        for topic in ("old topic", "new topic"):
            alice.expect(200, "PATCH", path, json={"topic": topic})
        carol = Person.register(alice.url, "carol")
        alice.expect(201, "PUT", f"{path}/members/{carol.id}", json={})
        alice.expect(204, "DELETE", f"{path}/members/{carol.id}")
        gone = bob.create_room(alice, name="old room")["id"]
        bob.expect(204, "DELETE", f"/rooms/{gone}")
        for archived in (True, False):
            alice.expect(200, "PATCH", path, json={"archived": archived})
        for _ in range(2):
            alice.expect(201, "PUT", f"/blocks/{bob.id}")
            alice.expect(204, "DELETE", f"/blocks/{bob.id}")
            alice.expect(200, "PATCH", f"{path}/preferences", json={"favourite": False})
        read = {"up_to": 99}
        alice.expect(200, "POST", "/notifications/read", json=read)
        for person in (alice, bob):
            for name in ("old name", "New Name"):
                person.expect(200, "PATCH", "/me", json={"display_name": name})
        bob.send(room, "the last word")

    def is_marked(self, message: str) -> None:
        """Let people react to a message, and pin it."""
        alice, bob = self.alice, self.bob
        for person, emoji, method in (
            *((alice, "👍", "PUT"), (bob, "❤️", "PUT"), (bob, "👍", "PUT")),
            *((alice, "👍", "DELETE"), (bob, "❤️", "DELETE"), (alice, "❤️", "PUT")),
        ):
            person.expect(200, method, f"{message}/reactions/{emoji}")
        alice.expect(200, "PUT", f"{message}/pin")

    async def followed(self, *acts: Callable[[], None]) -> Socket:
        """Return a socket of alice that has heard all of it live."""
        async with self.alice.socket() as live:
            await live.opened()
            await live.subscribe(self.room)
            for act in acts:
                await asyncio.to_thread(act)
            heads = self.alice.get("/sync")
            (room,) = [room for room in heads["rooms"] if room["id"] == self.room]
            await live.reach(self.room, room["last_seq"])
            await live.reach(self.alice.id, heads["inbox"]["head"])
        return live

    async def replayed(self) -> Socket:
        """Return a socket of alice that has been told all of it later."""
        streams = (self.room, self.alice.id)
        async with self.alice.socket() as socket:
            await socket.opened()
            grants = (await socket.subscribe(*streams, since=0))["streams"]
            for stream in streams:
                await socket.reach(stream, grants[stream]["head"])
        return socket

    def paged(self, stream: str, limit: int) -> Events:
        """Return all of a stream as alice reads it over REST later."""
        path = "/me/events" if stream == self.alice.id else f"/rooms/{stream}/events"
        found: Events = []
        after, more = 0, True
        while more:
            page = self.alice.get(f"{path}?after={after}&limit={limit}")
            assert page["from"] == after + 1
            assert page["to"] > after
            found, after, more = found + page["items"], page["to"], page["has_more"]
        return found


@pytest.fixture
def conversation(world: World, alice: Person, bob: Person) -> Conversation:
    """A room of alice, and everything still to come."""
    return Conversation(world, alice, bob)


def names(events: Events) -> list[tuple[Any, ...]]:
    """Return what of an event never changes."""
    return [(event["seq"], event["type"], event["at"], event["actor_id"]) for event in events]


def kinds(events: Events) -> set[str]:
    return {event["type"] for event in events}


async def test_a_replay_is_exactly_what_was_live_when_nothing_has_changed_since(
    conversation: Conversation,
) -> None:
    live = await conversation.followed(conversation.happens)
    later = await conversation.replayed()
    for stream in (conversation.room, conversation.alice.id):
        assert len(live.of(stream)) >= 5
        assert later.of(stream)[1:] == live.of(stream)
        for limit in (1, 3, 1000):
            assert conversation.paged(stream, limit)[1:] == live.of(stream)


async def test_all_ways_lead_to_the_same_state(conversation: Conversation, bob: Person) -> None:
    mine, room = conversation.alice.id, conversation.room
    live = await conversation.followed(conversation.happens, conversation.goes_on)
    later = await conversation.replayed()
    pages = [[conversation.paged(stream, n) for stream in (mine, room)] for n in (1, 3, 1000)]

    assert kinds(live.of(room)) == ROOM_EVENTS.keys() - NOT_TO_BE_HEARD
    assert kinds(live.of(mine)) == INBOX_EVENTS.keys()
    lived = vars(Known().apply(conversation.begun).apply(live.of(mine)).apply(live.of(room)))
    for inbox, events in [*pages, [later.of(mine), later.of(room)]]:
        assert vars(Known().apply(inbox).apply(events)) == lived
        assert names(events)[1:] == names(live.of(room))
        left_out = set(names(live.of(mine))) - set(names(inbox))
        assert {name[1] for name in left_out} <= MAY_BE_LEFT_OUT
        assert set(names(inbox)[1:]) <= set(names(live.of(mine)))

    fresh = Known()
    for message in bob.get(f"/rooms/{room}/messages?limit=200")["items"]:
        fresh.take_message(message)
    for member in bob.get(f"/rooms/{room}/members")["items"]:
        fresh.take_member(member)
    for shown in conversation.alice.get("/rooms")["items"]:
        fresh.take_room(shown)
    assert (fresh.messages, fresh.members) == (lived["messages"], lived["members"])
    assert fresh.reactions == lived["reactions"]
    assert {tuple(found) for found in fresh.reactions.values()} == {("👍", "❤️")}
    assert fresh.rooms == lived["rooms"]
    assert fresh.people.items() <= lived["people"].items()


@one_world
async def test_what_has_been_overtaken_is_never_shown_again(conversation: Conversation) -> None:
    alice, bob, room = conversation.alice, conversation.bob, conversation.room
    conversation.happens()
    conversation.goes_on()
    later = await conversation.replayed()
    pages = [conversation.paged(stream, n) for stream in (room, alice.id) for n in (1, 1000)]
    looks = [
        person.get(path)
        for person in (alice, bob)
        for path in (f"/rooms/{room}/messages", f"/rooms/{room}/members", "/sync", "/me/events")
    ]
    for shown in ([later.events], *pages, looks):
        text = json.dumps(shown)
        assert "New Name" in text
        for overtaken in ("old text", "old topic", "old name", "old room"):
            assert overtaken not in text
