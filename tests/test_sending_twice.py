"""``client_msg_id``: a message that is sent again, by whatever door, is there once."""

import asyncio
from typing import Any

import pytest

from tests.clients import Person, told
from tests.servers import one_world

ONE: dict[str, Any] = {"text": "once", "client_msg_id": "one"}


def replayed(person: Person, room: str, **content: Any) -> Any:
    """Send over REST what is known already; return the message."""
    answer = person.call("POST", f"/rooms/{room}/messages", json=content)
    assert (answer.status_code, answer.headers.get("Idempotent-Replayed")) == (200, "true")
    return answer.json()


def test_a_message_that_is_sent_again_is_answered_as_it_is_now(alice: Person, bob: Person) -> None:
    room = alice.create_room(bob)["id"]
    first = bob.send(room, **ONE)
    assert replayed(bob, room, **ONE) == first
    edited = bob.expect(200, "PATCH", f"/messages/{first['id']}", json={"text": "better"})
    assert replayed(bob, room, **ONE) == edited
    alice.expect(200, "PATCH", f"/rooms/{room}", json={"slow_mode_seconds": 3600, "frozen": True})
    assert replayed(bob, room, **ONE) == edited
    tombstone = alice.expect(200, "DELETE", f"/messages/{first['id']}")
    assert replayed(bob, room, **ONE) == tombstone
    assert (tombstone["text"], tombstone["client_msg_id"]) == (None, "one")
    alice.expect(200, "PATCH", f"/rooms/{room}/members/{bob.id}", json={"role": "reader"})
    alice.expect(200, "PATCH", f"/rooms/{room}", json={"archived": True})
    assert replayed(bob, room, **ONE) == tombstone
    bob.refused(
        409, "idempotency_conflict", "POST", f"/rooms/{room}/messages", json=ONE | {"text": "x"}
    )
    assert alice.get(f"/rooms/{room}")["last_seq"] == 8


def test_other_content_under_a_known_id_is_a_conflict(alice: Person) -> None:
    room = alice.create_room()["id"]
    asked = alice.send(room)["id"]
    first = alice.send(room, **ONE, reply_to_id=asked)
    for other in ({"text": "twice", "reply_to_id": asked}, {}, {"reply_to_id": first["id"]}):
        body = ONE | other
        alice.refused(409, "idempotency_conflict", "POST", f"/rooms/{room}/messages", json=body)
    again = {"metadata": {"try": 2}, "reply_to_id": asked}
    assert replayed(alice, room, **ONE, **again) == first


@pytest.mark.parametrize("other", ["One", "one ", "\uff4fne", "öne", "o\u0308ne"])
def test_ids_are_compared_exactly(alice: Person, other: str) -> None:
    room = alice.create_room()["id"]
    alice.send(room, **ONE)
    alice.send(room, "another", client_msg_id="öne" if other != "öne" else "o\u0308ne")
    assert alice.send(room, "other", client_msg_id=other)["client_msg_id"] == other


@one_world
def test_an_id_belongs_to_one_sender_in_one_room(alice: Person, bob: Person) -> None:
    here, there = alice.create_room(bob)["id"], alice.create_room(bob)["id"]
    sent = [
        alice.send(here, "a", client_msg_id="one"),
        bob.send(here, "b", client_msg_id="one"),
        alice.send(there, "c", client_msg_id="one"),
        alice.send(here, "d"),
        alice.send(here, "d"),
    ]
    assert len({message["id"] for message in sent}) == 5


@one_world
def test_a_known_id_is_no_way_back_into_a_room(alice: Person, bob: Person) -> None:
    room = alice.create_room(bob)["id"]
    bob.send(room, **ONE)
    alice.expect(204, "DELETE", f"/rooms/{room}/members/{bob.id}")
    bob.refused(404, "not_found", "POST", f"/rooms/{room}/messages", json=ONE)


async def test_both_doors_share_the_ids(alice: Person, bob: Person) -> None:
    room = alice.create_room(bob)["id"]
    path = f"/rooms/{room}/messages"
    async with bob.socket() as his:
        await his.opened()
        by_rest = bob.send(room, **ONE)
        reply = await his.ok("message.send", room_id=room, **ONE)
        assert (reply["message"], reply["replayed"]) == (told(by_rest), True)
        other = await his.ask("message.send", room_id=room, text="x", client_msg_id="one")
        assert other["code"] == "idempotency_conflict"

        two = {"text": "again", "client_msg_id": "two"}
        reply = await his.ok("message.send", room_id=room, **two)
        assert reply["replayed"] is False
        assert told(replayed(bob, room, **two)) == reply["message"]
        bob.refused(409, "idempotency_conflict", "POST", path, json=two | {"text": "x"})
    assert bob.get(path)["head"] == 4


async def test_fifty_copies_at_once_are_one_message(alice: Person, bob: Person) -> None:
    room = alice.create_room(bob)["id"]
    path = f"/rooms/{room}/messages"
    there = alice.at(bob.url)
    async with alice.socket() as one, there.socket() as two:
        await one.opened()
        await two.opened()
        for socket in (one, two):
            for copy in range(15):
                await socket.command("message.send", id=f"copy-{copy}", room_id=room, **ONE)
        answers = await asyncio.gather(
            *(
                asyncio.to_thread(person.call, "POST", path, json=ONE)
                for person in [alice, there] * 10
            )
        )
        replies = [
            await socket.reply(f"copy-{copy}") for socket in (one, two) for copy in range(15)
        ]
    assert all(answer.status_code in (200, 201) for answer in answers)
    messages = [told(answer.json()) for answer in answers]
    messages += [reply["message"] for reply in replies]
    news = [answer.status_code == 201 for answer in answers]
    news += [not reply["replayed"] for reply in replies]
    assert sum(news) == 1
    assert messages == [messages[0]] * 50
    assert [told(message) for message in bob.get(path)["items"]] == [messages[0]]
    assert bob.get(path)["head"] == 3
