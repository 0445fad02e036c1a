"""Files in messages: who may send which, who may read them, and when they are gone."""

from typing import Any

import pytest

from tests.clients import Person, at_once, told
from tests.known import Known
from tests.pictures import picture
from tests.servers import World, on_both_servers, one_world

PLACE = "/attachment_ids/0"


def uploaded(person: Person, count: int) -> list[dict[str, Any]]:
    """Send so many files, in this order."""
    return [person.upload(f"{number}.txt", b"text") for number in range(count)]


def ids(uploads: list[dict[str, Any]]) -> list[str]:
    """Return the ids of uploads."""
    return [upload["id"] for upload in uploads]


def refused(person: Person, room: str, *files: str, text: str = "look") -> Any:
    """Send a message whose files are not taken; return the one pointer."""
    body = {"text": text, "attachment_ids": list(files)}
    problem = person.refused(400, "invalid_request", "POST", f"/rooms/{room}/messages", json=body)
    (fault,) = problem["errors"]
    return fault["pointer"]


def statuses(path: str, *people: Person) -> list[int]:
    """Return what each of these people is answered."""
    return [person.call("GET", path).status_code for person in people]


async def test_a_message_with_files_is_the_same_wherever_it_is_read(
    alice: Person, bob: Person
) -> None:
    room = alice.create_room(bob)["id"]
    uploads = [alice.upload("a.png", picture()), *uploaded(alice, 2)]
    async with bob.socket() as socket:
        await socket.opened()
        await socket.subscribe(room)
        message = alice.send(room, "look", attachment_ids=ids(uploads))
        assert message["attachments"] == uploads
        await socket.reach(room, message["seq"])
        (event,) = socket.of(room)
    assert event["data"] == told(message)
    assert bob.events(room, message["seq"] - 1)[0]["data"] == told(message)
    assert bob.get(f"/rooms/{room}/messages")["items"] == [message]
    assert bob.get(f"/messages/{message['id']}") == message
    (shown,) = (found for found in bob.get("/sync")["rooms"] if found["id"] == room)
    assert shown["last_message"] == message


@on_both_servers
async def test_a_socket_sends_files_as_a_post_does(alice: Person) -> None:
    room = alice.create_room()["id"]
    first, second = uploaded(alice, 2)
    async with alice.socket() as socket:
        await socket.opened()
        sent = await socket.ok("message.send", room_id=room, text="", attachment_ids=[first["id"]])
        assert sent["message"]["attachments"] == [first]
        again = await socket.ask(
            "message.send", room_id=room, text="", attachment_ids=[second["id"], first["id"]]
        )
    assert (again["type"], again["code"]) == ("error", "invalid_request")
    assert [fault["pointer"] for fault in again["errors"]] == ["/attachment_ids/1"]
    assert alice.send(room, "", attachment_ids=[second["id"]])["attachments"] == [second]


@one_world
def test_blank_is_a_message_with_files_alone(alice: Person) -> None:
    room = alice.create_room()["id"]
    body = {"text": " "}
    alice.refused(400, "invalid_request", "POST", f"/rooms/{room}/messages", json=body)
    (upload,) = uploaded(alice, 1)
    message = alice.send(room, " ", attachment_ids=[upload["id"]])
    assert (message["text"], message["attachments"]) == (" ", [upload])
    path = f"/messages/{message['id']}"
    alice.expect(200, "PATCH", path, json={"text": "look"})
    edited = alice.expect(200, "PATCH", path, json={"text": ""})
    assert (edited["text"], edited["attachments"]) == ("", [upload])
    plain = alice.send(room)
    path = f"/messages/{plain['id']}"
    alice.refused(400, "invalid_request", "PATCH", path, json={"text": ""})


@one_world
def test_a_message_has_ten_files_and_no_more(alice: Person) -> None:
    room = alice.create_room()["id"]
    uploads = uploaded(alice, 11)
    assert refused(alice, room, *ids(uploads)) == "/attachment_ids"
    assert alice.send(room, attachment_ids=ids(uploads[:10]))["attachments"] == uploads[:10]


def test_a_file_is_used_once_and_by_who_sent_it(alice: Person, bob: Person) -> None:
    room, other = alice.create_room(bob)["id"], alice.create_room()["id"]
    mine, second = uploaded(alice, 2)
    (theirs,) = uploaded(bob, 1)
    assert refused(alice, room, theirs["id"]) == PLACE
    assert refused(alice, room, room) == PLACE
    assert refused(alice, room, mine["id"], mine["id"]) == "/attachment_ids/1"
    alice.send(room, attachment_ids=[mine["id"]])
    assert refused(alice, room, mine["id"]) == PLACE
    assert refused(alice, other, mine["id"]) == PLACE
    assert refused(bob, room, mine["id"]) == PLACE
    alice.send(other, attachment_ids=[second["id"]])
    head = alice.get(f"/rooms/{room}")["last_seq"]
    assert [event["seq"] for event in alice.events(room)] == list(range(1, head + 1))


@pytest.mark.parametrize("rooms", [1, 8])
def test_of_many_messages_at_once_one_has_the_file(alice: Person, world: World, rooms: int) -> None:
    made = [alice.create_room()["id"] for _ in range(rooms)] * (8 // rooms)
    (upload,) = uploaded(alice, 1)
    bodies = {"text": "mine", "attachment_ids": [upload["id"]]}

    def send(number: int) -> Any:
        person = alice.at((world.server, world.other)[number % 2].url)
        return person.call("POST", f"/rooms/{made[number]}/messages", json=bodies)

    answers = at_once(*[lambda number=number: send(number) for number in range(8)])
    assert sorted(answer.status_code for answer in answers) == [201] + [400] * 7
    messages = [
        item for room in set(made) for item in alice.get(f"/rooms/{room}/messages")["items"]
    ]
    assert [message["attachments"] for message in messages] == [[upload]]


@on_both_servers
async def test_sends_that_share_a_transaction_take_each_their_own(alice: Person) -> None:
    room, other = alice.create_room()["id"], alice.create_room()["id"]
    uploads = uploaded(alice, 6)
    async with alice.socket() as socket:
        await socket.opened()
        for number, upload in enumerate([*uploads, uploads[0]]):
            await socket.command(
                "message.send",
                id=number,
                room_id=(room, other)[number % 2],
                text="",
                attachment_ids=[upload["id"]],
            )
        replies = [await socket.reply(number) for number in range(7)]
    assert [reply["message"]["attachments"] for reply in replies[:6]] == [[one] for one in uploads]
    assert replies[6]["code"] == "invalid_request"


def test_a_repeated_send_is_known_by_its_files_too(alice: Person) -> None:
    room = alice.create_room()["id"]
    first, second = uploaded(alice, 2)
    body = {"text": "", "client_msg_id": "one", "attachment_ids": [first["id"]]}
    path = f"/rooms/{room}/messages"
    sent = alice.expect(201, "POST", path, json=body)
    assert alice.expect(200, "POST", path, json=body) == sent
    other = body | {"attachment_ids": [second["id"]]}
    alice.refused(409, "idempotency_conflict", "POST", path, json=other)
    answers = at_once(
        *[lambda: alice.call("POST", path, json=other | {"client_msg_id": "two"})] * 6
    )
    assert sorted(answer.status_code for answer in answers) == [200] * 5 + [201]
    assert len({answer.json()["id"] for answer in answers}) == 1


def test_a_refused_send_leaves_its_file_unused(alice: Person, bob: Person) -> None:
    room, free = alice.create_room(bob)["id"], bob.create_room()["id"]
    (upload,) = uploaded(bob, 1)
    alice.expect(200, "PATCH", f"/rooms/{room}", json={"frozen": True})
    body = {"text": "", "attachment_ids": [upload["id"]]}
    bob.refused(403, "permission_denied", "POST", f"/rooms/{room}/messages", json=body)
    assert bob.send(free, "", attachment_ids=[upload["id"]])["attachments"] == [upload]


# --- who may read them ----------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["private", "public"])
def test_files_are_for_the_members_of_the_room(
    alice: Person, bob: Person, carol: Person, kind: str
) -> None:
    room = alice.create_room(bob, kind=kind)["id"]
    upload = alice.upload("a.png", picture())
    alice.send(room, attachment_ids=[upload["id"]])
    for path in (f"/attachments/{upload['id']}", f"/attachments/{upload['id']}/thumbnail"):
        assert statuses(path, alice, bob, carol) == [200, 200, 404]
    alice.expect(201, "PUT", f"/rooms/{room}/members/{carol.id}", json={"role": "reader"})
    alice.expect(204, "DELETE", f"/rooms/{room}/members/{bob.id}")
    assert statuses(f"/attachments/{upload['id']}", alice, bob, carol) == [200, 404, 200]


def test_who_sent_a_file_and_left_reads_it_no_more(alice: Person, bob: Person) -> None:
    room = alice.create_room(bob)["id"]
    (upload,) = uploaded(bob, 1)
    bob.send(room, attachment_ids=[upload["id"]])
    bob.expect(204, "POST", f"/rooms/{room}/leave")
    assert statuses(f"/attachments/{upload['id']}", alice, bob) == [200, 404]


def test_with_its_message_a_file_is_gone_at_once(alice: Person, bob: Person) -> None:
    room = alice.create_room(bob)["id"]
    one, two, three = uploaded(bob, 3)
    first = bob.send(room, attachment_ids=[one["id"]])
    second = bob.send(room, attachment_ids=[two["id"]])
    third = bob.send(room, attachment_ids=[three["id"]])
    tombstone = bob.expect(200, "DELETE", f"/messages/{first['id']}")
    assert tombstone["attachments"] == []
    ranges = {"ranges": [[second["seq"], second["seq"]]]}
    alice.expect(200, "POST", f"/rooms/{room}/messages/delete", json=ranges)
    found = [statuses(f"/attachments/{upload['id']}", alice, bob) for upload in (one, two, three)]
    assert found == [[404, 404], [404, 404], [200, 200]]
    items = alice.get(f"/rooms/{room}/messages")["items"]
    assert [item["attachments"] for item in items] == [[], [], third["attachments"]]
    assert refused(bob, room, one["id"]) == PLACE


def test_with_its_room_or_its_sender_a_file_is_gone(alice: Person, bob: Person) -> None:
    room, other = alice.create_room(bob)["id"], alice.create_room(bob)["id"]
    one, two, unused = uploaded(bob, 3)
    bob.send(room, attachment_ids=[one["id"]])
    bob.send(other, attachment_ids=[two["id"]])
    alice.expect(204, "DELETE", f"/rooms/{room}")
    assert statuses(f"/attachments/{one['id']}", alice, bob) == [404, 404]
    bob.expect(204, "POST", "/me/delete", json={"password": "known to tests alone"})
    assert statuses(f"/attachments/{two['id']}", alice) == [404]
    assert unused["id"]


# --- fetch, act, apply, compare -------------------------------------------------------------


def test_events_about_files_lead_to_what_a_fresh_fetch_shows(alice: Person, bob: Person) -> None:
    room = alice.create_room(bob)["id"]
    before = bob.send(room, attachment_ids=ids(uploaded(bob, 1)))
    known = Known()
    known.take_message(before)
    head = before["seq"]
    sent = alice.send(room, "", attachment_ids=ids(uploaded(alice, 2)))
    bob.expect(200, "PATCH", f"/messages/{before['id']}", json={"text": "changed"})
    alice.expect(200, "DELETE", f"/messages/{sent['id']}")
    ranges = {"ranges": [[before["seq"], before["seq"]]]}
    alice.expect(200, "POST", f"/rooms/{room}/messages/delete", json=ranges)
    last = alice.send(room, attachment_ids=ids(uploaded(alice, 1)))
    events = bob.events(room, head)
    fresh = Known()
    for item in bob.get(f"/rooms/{room}/messages")["items"]:
        fresh.take_message(item)
    assert known.apply(events).messages == fresh.messages
    assert known.apply(events).messages == fresh.messages
    assert fresh.messages[last["id"]]["attachments"] == last["attachments"]
