"""Notifications that come of messages: who gets which, once, and who gets none."""

import uuid
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.models import User
from api.blocks.models import Block
from api.clock import now
from api.inbox.models import Notification
from api.log.models import Stream
from api.messages.actions import delete_message, send_message
from api.messages.schemas import Content
from api.rooms.actions import create_room, open_direct_room
from api.rooms.models import Member, Room
from api.rooms.schemas import CreateRoom
from tests.clients import PASSWORD, Person
from tests.servers import one_world


def notice(kind: str, text: str, message: dict[str, Any], item: dict[str, Any]) -> dict[str, Any]:
    """Return the notification of a message, with what only the server knows out of ``item``."""
    return {
        "id": item["id"],
        "seq": item["seq"],
        "kind": kind,
        "text": text,
        "data": None,
        "room_id": message["room_id"],
        "message_id": message["id"],
        "created_at": message["created_at"],
        "read_at": None,
    }


def told(person: Person) -> list[tuple[str, str]]:
    """Return of which messages a person is told, and as what, the newest first."""
    items = person.get("/notifications?limit=200")["items"]
    return [(item["kind"], item["message_id"]) for item in items]


async def test_each_kind_reaches_its_person_on_every_device_and_nobody_else(
    alice: Person, bob: Person, carol: Person
) -> None:
    room = alice.create_room(bob, carol)["id"]
    direct = alice.expect(201, "POST", "/rooms/direct", json={"user_ids": [bob.id]})["id"]
    quoted = bob.send(room, "nobody hears of this")
    async with bob.socket() as one, bob.login("phone").at(alice.url).socket() as two:
        await one.opened()
        await two.opened()
        said = [
            alice.send(room, f"@{bob.name}"),
            alice.send(room, "no", reply_to_id=quoted["id"]),
            alice.send(direct, "hello"),
            alice.send(room, "@room"),
        ]
        alice.send(room, "hello")
        for socket in (one, two):
            await socket.reach(bob.id, one.hello["inbox"]["head"] + 4)
        events = one.of(bob.id)
        assert two.of(bob.id) == events
    items = bob.get("/notifications")["items"]
    assert items[::-1] == [
        notice("mention", "Alice mentioned you", said[0], items[3]),
        notice("reply", "Alice replied to you", said[1], items[2]),
        notice("direct_message", "Alice sent you a message", said[2], items[1]),
        notice("room_mention", "Alice mentioned the room", said[3], items[0]),
    ]
    assert [event["data"] for event in events] == items[::-1]
    assert {event["actor_id"] for event in events} == {alice.id}
    assert bob.events(bob.id)[-4:] == events
    assert bob.get("/sync")["notifications"] == {"items": items, "unread_count": 4}
    assert told(carol) == [("room_mention", said[3]["id"])]
    assert told(alice) == []


def test_one_notification_a_message_of_the_strongest_kind(alice: Person, bob: Person) -> None:
    room = alice.create_room(bob)["id"]
    direct = alice.expect(201, "POST", "/rooms/direct", json={"user_ids": [bob.id]})["id"]
    quoted, private = bob.send(room), bob.send(direct)
    everything = f"@room @{bob.name} @{bob.name} @{alice.name}"
    said = [
        alice.send(room, everything, reply_to_id=quoted["id"]),
        alice.send(direct, everything, reply_to_id=private["id"]),
        alice.send(room, "@room", reply_to_id=quoted["id"]),
        alice.send(direct, "@room", reply_to_id=private["id"]),
        alice.send(direct, "@room"),
    ]
    kinds = ["mention", "mention", "reply", "reply", "direct_message"]
    expected = [(kind, message["id"]) for kind, message in zip(kinds, said, strict=True)]
    assert told(bob) == expected[::-1]
    assert told(alice) == [("direct_message", private["id"])]


def test_a_reply_in_a_thread_is_told_to_those_who_take_part(
    alice: Person, bob: Person, carol: Person
) -> None:
    room = alice.create_room(bob, carol)["id"]
    root = alice.send(room, "root")
    first = bob.send(room, "first", thread_id=root["id"])
    assert (told(alice), told(bob), told(carol)) == ([("reply", first["id"])], [], [])
    second = carol.send(room, "second", thread_id=root["id"])
    third = carol.send(room, f"@{bob.name}", thread_id=root["id"])
    assert told(bob) == [("mention", third["id"]), ("reply", second["id"])]
    assert [found for _, found in told(alice)] == [third["id"], second["id"], first["id"]]
    assert told(carol) == []
    bob.expect(204, "POST", f"/rooms/{room}/leave")
    alice.send(room, "last", thread_id=root["id"])
    assert len(told(bob)) == 2


def test_who_has_left_or_is_not_there_is_not_told(
    alice: Person, bob: Person, carol: Person
) -> None:
    room = alice.create_room(bob)["id"]
    quoted = bob.send(room)
    bob.expect(204, "POST", f"/rooms/{room}/leave")
    alice.send(room, f"@{bob.name} @{carol.name} @room", reply_to_id=quoted["id"])
    assert told(bob) == told(carol) == told(alice) == []


def test_a_notification_keeps_no_word_of_the_message_and_shows_names_as_they_are_now(
    alice: Person, bob: Person
) -> None:
    room = alice.create_room(bob)["id"]
    said = alice.send(room, f"secret @{bob.name}")
    alice.expect(200, "PATCH", "/me", json={"display_name": "Al"})
    (item,) = bob.get("/notifications")["items"]
    assert item == notice("mention", "Al mentioned you", said, item)
    alice.expect(200, "DELETE", f"/messages/{said['id']}")
    assert bob.get("/notifications")["items"] == [item]
    assert [event["data"] for event in bob.events(bob.id) if event["data"]["id"] == item["id"]] == [
        item
    ]


@one_world
def test_an_erased_sender_has_no_name_in_notifications_either(alice: Person, bob: Person) -> None:
    room = bob.create_room(alice)["id"]
    said = alice.send(room, f"@{bob.name}")
    alice.expect(204, "POST", "/me/delete", json={"password": PASSWORD})
    (item,) = bob.get("/notifications")["items"]
    assert item == notice("mention", "Somebody mentioned you", said, item)


def test_an_edit_notifies_nobody(alice: Person, bob: Person) -> None:
    room = alice.create_room(bob)["id"]
    said = alice.send(room)
    alice.expect(200, "PATCH", f"/messages/{said['id']}", json={"text": f"@{bob.name}"})
    assert (told(bob), bob.get(f"/rooms/{room}")["mention_count"]) == ([], 1)


def test_a_repeated_send_notifies_once(alice: Person, bob: Person) -> None:
    room = alice.create_room(bob)["id"]
    body = {"text": f"@{bob.name}", "client_msg_id": "once"}
    for status in (201, 200, 200):
        alice.expect(status, "POST", f"/rooms/{room}/messages", json=body)
    refused = body | {"text": f"@{bob.name} again"}
    alice.refused(409, "idempotency_conflict", "POST", f"/rooms/{room}/messages", json=refused)
    assert len(told(bob)) == 1


def test_reading_past_a_message_reads_its_notification(alice: Person, bob: Person) -> None:
    room = alice.create_room(bob)["id"]
    said = [alice.send(room, f"@{bob.name}") for _ in range(3)]
    bob.expect(200, "PUT", f"/rooms/{room}/read", json={"seq": said[1]["seq"]})
    found = bob.get("/notifications")
    assert [item["read_at"] is None for item in found["items"]] == [True, False, False]
    assert found["unread_count"] == 1


# --- what takes many people, or their wishes ----------------------------------------------


def people(*names: str) -> list[User]:
    """Make users."""
    made = [User(username=name, skeleton=name, display_name=name.title()) for name in names]
    return User.objects.bulk_create(made)


def room_of(owner: User, *others: User) -> Room:
    """Make a room with these people in it."""
    content = CreateRoom(name="room", kind="private", member_ids=[user.id for user in others[:100]])
    room = create_room(creator_id=owner.id, content=content)
    rest = others[100:]
    Member.objects.bulk_create(Member(room_id=room.id, user=user) for user in rest)
    Room.objects.filter(pk=room.id).update(member_count=len(others) + 1)
    return room


def say(sender: User, room: Room, text: str, **more: Any) -> uuid.UUID:
    """Say something, however soon; return the message's id."""
    Member.objects.filter(room_id=room.id).update(send_slot=None)
    content = Content(text=text, **more)
    return send_message(sender_id=sender.id, room_id=room.id, content=content).message.id


def kinds(user: User) -> list[str]:
    """Return of what a person has been told, in order."""
    return list(
        Notification.objects.filter(user=user).order_by("seq").values_list("kind", flat=True)
    )


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    ("wishes", "expected"),
    [
        ({}, ["mention", "reply", "room_mention", "mention", "reply"]),
        (
            {"notification_level": "mentions"},
            ["mention", "room_mention", "mention", "room_mention"],
        ),
        ({"notification_level": "none"}, []),
        ({"notifications_muted_until": now() + timedelta(hours=1)}, []),
        (
            {"notifications_muted_until": now() - timedelta(hours=1)},
            ["mention", "reply", "room_mention", "mention", "reply"],
        ),
    ],
)
def test_one_is_told_only_what_one_wants_to_be_told(
    wishes: dict[str, Any], expected: list[str]
) -> None:
    ann, bob = people("ann", "bob")
    room = room_of(ann, bob)
    quoted = say(bob, room, "hello")
    Member.objects.filter(room_id=room.id, user=bob).update(**wishes)
    say(ann, room, "@bob")
    say(ann, room, "hello", reply_to_id=quoted)
    say(ann, room, "@room")
    say(ann, room, "@room @bob")
    say(ann, room, "@room", reply_to_id=quoted)
    assert kinds(bob) == expected
    assert kinds(ann) == []


@pytest.mark.django_db(transaction=True)
def test_who_mutes_a_direct_room_is_not_told_and_the_others_are() -> None:
    ann, bob, carl = people("ann", "bob", "carl")
    room, _ = open_direct_room(creator_id=ann.id, user_ids=[bob.id, carl.id])
    Member.objects.filter(room_id=room.id, user=bob).update(notification_level="none")
    say(ann, room, "hello")
    assert (kinds(ann), kinds(bob), kinds(carl)) == ([], [], ["direct_message"])


@pytest.mark.django_db(transaction=True)
def test_who_has_blocked_the_sender_is_not_told() -> None:
    ann, bob, carl = people("ann", "bob", "carl")
    room = room_of(ann, bob, carl)
    direct, _ = open_direct_room(creator_id=carl.id, user_ids=[ann.id, bob.id])
    Block.objects.create(blocker=bob, blocked=ann)
    say(ann, room, "@bob @carl")
    say(ann, direct, "@room")
    say(carl, room, "@bob")
    say(bob, room, "@ann")
    assert kinds(bob) == ["mention"]
    assert kinds(carl) == ["mention", "direct_message"]
    assert kinds(ann) == ["mention"]


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(("members", "notified"), [(200, 199), (201, 0)])
def test_the_room_notifies_up_to_two_hundred_people_and_counts_for_all(
    members: int, notified: int
) -> None:
    ann, *others = people("ann", *(f"person{number}" for number in range(members - 1)))
    room = room_of(ann, *others)
    say(ann, room, "@room")
    assert Notification.objects.count() == notified
    last = others[-1]
    assert kinds(last) == ["room_mention"][:notified]
    say(ann, room, f"@room @{last.username}")
    assert kinds(last)[-1] == "mention"


@pytest.mark.django_db(transaction=True)
def test_a_closed_stream_is_told_nothing_and_keeps_nobody_from_speaking() -> None:
    ann, bob, carl = people("ann", "bob", "carl")
    room = room_of(ann, bob, carl)
    Stream.objects.filter(pk=bob.id).update(closed_at=now())
    message = say(ann, room, "@bob @carl")
    assert (kinds(bob), kinds(carl)) == ([], ["mention"])
    delete_message(actor_id=ann.id, message_id=message)


@pytest.mark.django_db(transaction=True)
def test_ten_people_take_as_many_statements_as_one() -> None:
    ann, *others = people("ann", *(f"person{number}" for number in range(9)))
    taken = []
    for count in (1, 9):
        some = others[:count]
        direct, _ = open_direct_room(creator_id=ann.id, user_ids=[user.id for user in some])
        say(ann, direct, "hello")  # the first spells them out
        with CaptureQueriesContext(connection) as captured:
            say(ann, direct, "hello")
        taken.append(len(captured))
    assert taken[1] == taken[0] + 1  # of two, nobody has blocked the other
