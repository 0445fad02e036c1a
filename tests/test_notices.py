"""Notifications that come of messages: who gets which, once, and who gets none."""

from typing import Any

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
