"""``GET /sync``: everything at once, true at one moment, in a fixed number of queries."""

from datetime import UTC, datetime
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.models import User
from api.inbox.actions import notify
from api.log.epoch import renew_epoch
from api.log.snapshot import snapshot
from api.messages.actions import send_message
from api.messages.reacting import add_reaction
from api.messages.schemas import Content, Reaction
from api.rooms.actions import create_room, open_direct_room
from api.rooms.schemas import CreateRoom
from api.sync.queries import sync
from tests import servers
from tests.clients import Person


def test_everything_is_there(alice: Person, bob: Person, carol: Person) -> None:
    room = alice.create_room(bob, name="first", metadata={"a": 1})["id"]
    said = alice.send(room, "hello", metadata={"b": 2})
    direct = carol.expect(201, "POST", "/rooms/direct", json={"user_ids": [bob.id]})["id"]
    alice.create_room(kind="public")
    left = alice.create_room(bob)["id"]
    bob.expect(204, "POST", f"/rooms/{left}/leave")

    found = bob.get("/sync")

    moment = datetime.fromisoformat(found.pop("time"))
    assert abs((datetime.now(UTC) - moment).total_seconds()) < 60
    assert found == {
        "epoch": found["epoch"],
        "me": bob.get("/me"),
        "rooms": [bob.get(f"/rooms/{room}"), bob.get(f"/rooms/{direct}")],
        "notifications": {"items": [], "unread_count": 0},
        "blocks": [],
        "drafts": [],
        "inbox": {"stream": bob.id, "head": 4},
    }
    assert found["rooms"] == bob.get("/rooms")["items"]
    first, second = found["rooms"]
    assert (first["last_message"], first["unread_count"]) == (said, 1)
    assert [user["id"] for user in second["users"]] == [carol.id]


async def test_nothing_is_lost_between_sync_and_subscribing(alice: Person, bob: Person) -> None:
    room = alice.create_room(bob)["id"]
    state = bob.get("/sync")
    said = alice.send(room, "in between")
    other = alice.create_room(bob)["id"]
    async with bob.socket() as his:
        hello = (await his.opened()).hello
        assert hello["epoch"] == state["epoch"]
        since = {bob.id: state["inbox"]["head"], room: state["rooms"][0]["last_seq"]}
        await his.command("subscribe", streams=since)
        await his.until("subscribed")
        await his.reach(room, said["seq"])
        await his.reach(bob.id, hello["inbox"]["head"])
        assert [event["data"]["text"] for event in his.of(room)] == ["in between"]
        assert [event["data"]["id"] for event in his.of(bob.id)] == [other]


async def test_the_epoch_changes_when_the_operator_says_so() -> None:
    with servers.embedded() as world:
        alice = Person.register(world.server.url, "alice")
        before = alice.get("/sync")["epoch"]
        assert alice.get("/sync")["epoch"] == before
        said = world.manage("renew_epoch")
        assert said.returncode == 0, said.stderr
        world.server.stop()
        alice = alice.at(world.start().url)
        after = alice.get("/sync")["epoch"]
        assert after != before
        assert after in said.stdout
        async with alice.socket() as hers:
            assert (await hers.opened()).hello["epoch"] == after


def _person(name: str) -> User:
    return User.objects.create(username=name, skeleton=name, display_name=name)


def _room(owner: User, *others: User) -> Any:
    ids = [user.id for user in others]
    content = CreateRoom(name="room", kind="private", member_ids=ids)
    return create_room(creator_id=owner.id, content=content)


@pytest.mark.django_db(transaction=True)
def test_three_rooms_take_as_many_queries_as_thirty() -> None:
    renew_epoch()
    bob = _person("bob")
    taken = []
    for number in range(10):
        alice = _person(f"alice{number}")
        direct, _ = open_direct_room(creator_id=alice.id, user_ids=[bob.id])
        for room in (_room(alice, bob), _room(bob, alice), direct):
            content = Content(text="hello")
            sent = send_message(sender_id=alice.id, room_id=room.id, content=content)
            add_reaction(user_id=bob.id, message_id=sent.message.id, emoji="👍")
        notify(user_id=bob.id, text="hello")
        with CaptureQueriesContext(connection) as captured, snapshot():
            found = sync(bob.id)
        assert len(found.rooms) == 3 * (number + 1)
        assert all(room.last_message and room.unread_count == 1 for room in found.rooms)
        given = [room.last_message.reactions for room in found.rooms if room.last_message]
        assert given == [[Reaction("👍", 1, True)]] * len(found.rooms)
        taken.append([query["sql"].partition(" ")[0] for query in captured])
    assert taken == [taken[0]] * 10
    assert len(taken[0]) < 15
