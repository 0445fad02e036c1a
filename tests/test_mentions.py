"""Mentions: who is named by a message, who hears that they are not there, and the counts."""

from typing import Any

import psycopg
import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.models import User
from api.messages.actions import send_message
from api.messages.schemas import Content
from api.rooms.actions import create_room
from api.rooms.schemas import CreateRoom
from tests.clients import Person, at_once, sender, told
from tests.servers import World, one_world


def of(person: Person, offset: int, length: int = 0) -> dict[str, Any]:
    """Return the mention of a person by their whole name."""
    place = {"offset": offset, "length": length or len(person.name) + 1}
    return {"kind": "user", "user_id": person.id} | place


def of_room(offset: int) -> dict[str, Any]:
    """Return the mention of the room."""
    return {"kind": "room", "user_id": None, "offset": offset, "length": 5}


def not_in_room(person: Person) -> dict[str, Any]:
    """Return the warning that this person is not there."""
    return {"code": "not_in_room", "user": sender(person.user)}


def count(person: Person, room: str) -> int:
    """Return how many messages name a person, in all places that say so."""
    said = person.get(f"/rooms/{room}")
    everything = {one["id"]: one for one in person.get("/sync")["rooms"]}
    assert everything[room]["mention_count"] == said["mention_count"]
    number: int = said["mention_count"]
    return number


async def test_a_message_says_whom_it_names_and_where(alice: Person, bob: Person) -> None:
    room = alice.create_room(bob)["id"]
    async with bob.socket(f"/ws/rooms/{room}/") as socket:
        await socket.opened()
        await socket.until("subscribed")
        text = (
            f"\U0001f600 @{bob.name}, @{alice.name.upper()}. @room mail@{bob.name} @nobody.at.all"
        )
        message = alice.send(room, text)
        second = 5 + len(bob.name)
        assert message["text"] == text
        assert message["mentions"] == [
            of(bob, 2),
            of(alice, second),
            of_room(second + len(alice.name) + 3),
        ]
        assert "warnings" not in message
        event = await socket.until("message.created")
        assert event["data"] == told(message)
        sent = await socket.ok("message.send", room_id=room, text=f"@{alice.name}")
        assert (sent["message"]["mentions"], "warnings" in sent) == ([of(alice, 0)], False)
    assert bob.get(f"/rooms/{room}/messages")["items"][0] == message
    assert bob.get(f"/messages/{message['id']}") == message
    assert bob.events(room)[2]["data"] == told(message)


async def test_who_is_not_in_the_room_is_not_named_and_the_sender_is_warned(
    alice: Person, bob: Person, carol: Person
) -> None:
    room = alice.create_room(bob)["id"]
    text = f"@{carol.name} @{carol.name} @{bob.name} @nobody.at.all"
    said = alice.send(room, text, client_msg_id="once")
    assert said.pop("warnings") == [not_in_room(carol)]
    assert said["mentions"] == [of(bob, 2 * len(carol.name) + 4)]
    assert alice.get(f"/messages/{said['id']}") == said
    again = {"text": text, "client_msg_id": "once"}
    assert alice.expect(200, "POST", f"/rooms/{room}/messages", json=again) == said
    async with alice.socket() as socket:
        await socket.opened()
        reply = await socket.ok("message.send", room_id=room, text=f"hello @{carol.name}.")
        assert (reply["warnings"], reply["message"]["mentions"]) == ([not_in_room(carol)], [])
        edit = {"message_id": said["id"], "text": f"@{carol.name}"}
        edited = await socket.ok("message.edit", **edit)
        assert (edited["warnings"], edited["message"]["mentions"]) == ([not_in_room(carol)], [])
    for event in bob.events(room):
        assert "warnings" not in event["data"]
    edited = alice.expect(200, "PATCH", f"/messages/{said['id']}", json={"text": text})
    assert edited.pop("warnings") == [not_in_room(carol)]
    assert edited == alice.get(f"/messages/{said['id']}")


@one_world
def test_who_has_left_is_not_there(alice: Person, bob: Person, carol: Person) -> None:
    room = alice.create_room(bob, carol)["id"]
    bob.expect(204, "POST", f"/rooms/{room}/leave")
    said = alice.send(room, f"@{bob.name} @{carol.name}")
    assert said["warnings"] == [not_in_room(bob)]
    assert said["mentions"] == [of(carol, len(bob.name) + 2)]


def test_editing_names_others_and_deleting_nobody(
    alice: Person, bob: Person, carol: Person
) -> None:
    room = alice.create_room(bob, carol)["id"]
    said = alice.send(room, f"@{bob.name}")
    assert (count(bob, room), count(carol, room)) == (1, 0)
    body = {"text": f"@{carol.name} @{carol.name}"}
    edited = alice.expect(200, "PATCH", f"/messages/{said['id']}", json=body)
    assert edited["mentions"] == [of(carol, 0), of(carol, len(carol.name) + 2)]
    assert bob.events(room)[-1]["data"] == told(edited)
    assert (count(bob, room), count(carol, room)) == (0, 1)
    tombstone = alice.expect(200, "DELETE", f"/messages/{said['id']}")
    assert tombstone["mentions"] == []
    assert (count(bob, room), count(carol, room)) == (0, 0)


def test_a_message_counts_once_however_it_names_one(alice: Person, bob: Person) -> None:
    room = alice.create_room(bob)["id"]
    alice.send(room, f"@{bob.name} @{bob.name} @room @room")
    alice.send(room, "@room")
    alice.send(room, "nobody")
    bob.send(room, f"@room @{bob.name} @{alice.name}")
    assert (count(alice, room), count(bob, room)) == (1, 2)


def test_deleting_many_messages_takes_their_mentions_away(alice: Person, bob: Person) -> None:
    room = alice.create_room(bob)["id"]
    said = [alice.send(room, f"@{bob.name} @room")["seq"] for _ in range(4)]
    ranges = {"ranges": [[said[0], said[1]], [said[3], said[3]]]}
    alice.expect(200, "POST", f"/rooms/{room}/messages/delete", json=ranges)
    assert count(bob, room) == 1


async def test_counts_are_those_above_ones_marker_wherever_they_are_told(
    alice: Person, bob: Person
) -> None:
    room = alice.create_room(bob)["id"]
    seqs = [alice.send(room, f"@{bob.name}")["seq"] for _ in range(3)]
    async with bob.socket() as socket:
        await socket.opened()
        granted = await socket.subscribe(room)
        assert granted["streams"][room]["mention_count"] == 3
        counts = bob.expect(200, "PUT", f"/rooms/{room}/read", json={"seq": seqs[0]})
        assert counts == {
            "room_id": room,
            "read_seq": seqs[0],
            "unread_count": 2,
            "mention_count": 2,
            "head": seqs[2],
        }
        moved = await socket.until("read.moved")
        assert moved["data"] == counts
        read = await socket.ok("read", room_id=room, seq=seqs[2])
        assert (read["mention_count"], read["unread_count"]) == (0, 0)
    back = bob.expect(200, "PUT", f"/rooms/{room}/read", json={"seq": 0, "backward": True})
    assert back["mention_count"] == 3 == count(bob, room)
    (many,) = bob.expect(200, "PUT", "/read", json={"rooms": {room: seqs[1]}})["items"]
    assert many["mention_count"] == 1
    assert [item["mention_count"] for item in bob.get("/rooms")["items"]] == [1]


@one_world
def test_a_newcomer_has_no_mentions_from_before(alice: Person, carol: Person) -> None:
    room = alice.create_room(kind="public")["id"]
    alice.send(room, "@room")
    joined = carol.expect(200, "POST", f"/rooms/{room}/join")
    assert (joined["mention_count"], count(carol, room)) == (0, 0)
    carol.expect(204, "POST", f"/rooms/{room}/leave")
    assert carol.get(f"/rooms/{room}")["mention_count"] is None


@pytest.mark.parametrize("world", ["clustered"], indirect=True)
def test_counts_are_exact_up_to_a_thousand(world: World, alice: Person, bob: Person) -> None:
    room = alice.create_room(bob)["id"]
    alice.send(room, f"@{bob.name} @room")
    assert world.postgres_url
    with psycopg.connect(world.postgres_url) as database:
        insert = (
            "INSERT INTO api_mention (room_id, seq, user_id, sender_id) "
            "SELECT %s, n, %s, %s FROM generate_series(%s::int, %s::int) n"
        )
        database.execute(insert, [room, bob.id, alice.id, 1_000, 1_497])
        database.execute(insert, [room, None, alice.id, 1_000, 1_999])
        assert database.execute("DELETE FROM api_mention WHERE seq = 1999").rowcount == 1
        database.commit()
        assert count(bob, room) == 1_000
        database.execute(insert, [room, bob.id, alice.id, 2_000, 3_000])
        database.commit()
    assert count(bob, room) == 1_000


async def test_what_is_sent_at_once_names_each_its_own(alice: Person, bob: Person) -> None:
    room, other = alice.create_room(bob)["id"], alice.create_room()["id"]
    said: list[Any] = at_once(
        *(lambda place=place: alice.send(place, f"@{bob.name}") for place in (room, other) * 4)
    )
    assert [len(message["mentions"]) for message in said] == [1, 0] * 4
    assert ["warnings" in message for message in said] == [False, True] * 4
    assert count(bob, room) == 4


def _people(*names: str) -> list[User]:
    return [User.objects.create(username=name, skeleton=name, display_name=name) for name in names]


@pytest.mark.django_db(transaction=True)
def test_what_names_and_tells_nobody_takes_no_statement_more() -> None:
    """To name: one to look up, one to count. To tell: whom, blocks, numbers, rows."""
    ann, bob, carl = _people("ann", "bob", "carl")
    content = CreateRoom(name="room", kind="private", member_ids=[bob.id, carl.id])
    room = create_room(creator_id=ann.id, content=content)

    def statements(text: str) -> list[str]:
        send_message(sender_id=ann.id, room_id=room.id, content=Content(text=text))  # spelled out
        with CaptureQueriesContext(connection) as captured:
            send_message(sender_id=ann.id, room_id=room.id, content=Content(text=text))
        return [query["sql"].partition(" ")[0] for query in captured]

    plain = statements("hello, a @ and me@example.org")
    assert statements("hello") == plain
    assert len(statements("@nobody")) == len(plain) + 1
    assert len(statements("@ann @bob @bob @room @carl")) == len(plain) + 6
