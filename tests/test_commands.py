"""Commands: what they do, what they answer, and what is answered to what is no command."""

import asyncio
import json
from typing import Any

import pytest

from tests.clients import Person, Socket, told
from tests.servers import on_both_servers

pytestmark = on_both_servers

NOWHERE = "01890000-0000-7000-8000-000000000000"
BIG = "😀" * 10_000  # 40,000 bytes: what one message may say


async def refused(socket: Socket, code: str, kind: str, **fields: Any) -> dict[str, Any]:
    """Send a command that is refused with this code; return the frame."""
    reply = await socket.ask(kind, **fields)
    assert (reply["type"], reply["code"]) == ("error", code), reply
    return reply


async def test_what_is_sent_is_answered_recorded_and_told(alice: Person, bob: Person) -> None:
    room = alice.create_room(bob)["id"]
    first = alice.send(room, "first")
    async with bob.socket() as socket:
        await socket.opened()
        await socket.subscribe(room)
        content = {
            "text": "  said as it is \n",
            "metadata": {"colour": ["red", None, 1.5]},
            "client_msg_id": "Ä 1",
            "reply_to_id": first["id"],
        }
        reply = await socket.ask("message.send", room_id=room, **content)
        message = told(bob.get(f"/messages/{reply['message']['id']}"))
        assert reply == {"type": "ok", "id": reply["id"], "message": message, "replayed": False}
        assert {name: message[name] for name in content} == content
        assert message["sender"]["id"] == bob.id
        await socket.reach(room, message["seq"])
        (event,) = socket.of(room)
        assert event["data"] == message


async def test_what_was_sent_before_is_answered_as_it_is_now(alice: Person) -> None:
    room = alice.create_room()["id"]
    first = alice.send(room, "over REST", client_msg_id="one")
    async with alice.socket() as socket:
        await socket.opened()
        content = {"room_id": room, "text": "over REST", "client_msg_id": "one"}
        again = await socket.ok("message.send", **content)
        assert (again["message"], again["replayed"]) == (told(first), True)
        deleted = await socket.ok("message.delete", message_id=first["id"])
        again = await socket.ok("message.send", **content)
        assert (again["message"], again["replayed"]) == (deleted["message"], True)
        await refused(socket, "idempotency_conflict", "message.send", **content | {"text": "else"})
        assert alice.get(f"/rooms/{room}")["last_seq"] == 3


async def test_a_message_is_edited_and_deleted(alice: Person, bob: Person) -> None:
    room = alice.create_room(bob)["id"]
    said = alice.send(room, "said")
    async with alice.socket() as socket:
        await socket.opened()
        edited = await socket.ok("message.edit", message_id=said["id"], text="edited")
        assert edited["message"] == told(alice.get(f"/messages/{said['id']}"))
        assert (edited["message"]["text"], edited["message"]["changed_seq"]) == ("edited", 4)
        await refused(
            socket, "conflict", "message.edit", message_id=said["id"], text="x", if_changed_seq=3
        )
        same = await socket.ok("message.edit", message_id=said["id"], text="edited")
        assert same["message"] == edited["message"]
        deleted = await socket.ok("message.delete", message_id=said["id"])
        assert deleted["message"] == told(alice.get(f"/messages/{said['id']}"))
        assert deleted["message"]["text"] is None
        again = await socket.ok("message.delete", message_id=said["id"])
        assert again["message"] == deleted["message"]
        await refused(socket, "not_found", "message.edit", message_id=said["id"], text="late")


async def test_what_rest_refuses_is_refused_under_the_same_code(
    alice: Person, bob: Person, carol: Person
) -> None:
    room = alice.create_room(bob)["id"]
    said = alice.send(room)["id"]
    async with bob.socket() as his, carol.socket() as hers:
        await his.opened()
        await hers.opened()
        await refused(his, "permission_denied", "message.edit", message_id=said, text="not mine")
        await refused(his, "permission_denied", "message.delete", message_id=said)
        await refused(his, "not_found", "message.send", room_id=NOWHERE, text="hello")
        await refused(
            his, "invalid_request", "message.send", room_id=room, text="a", attachment_ids=[said]
        )
        await refused(hers, "not_found", "message.send", room_id=room, text="hello")
        await refused(hers, "not_found", "message.delete", message_id=said)
        await refused(hers, "not_found", "read", room_id=room, seq=1)
        await refused(hers, "not_found", "history", room_id=room)
        alice.expect(200, "PATCH", f"/rooms/{room}", json={"archived": True})
        await refused(his, "room_archived", "message.send", room_id=room, text="too late")


async def test_reading_answers_the_counts_and_tells_ones_other_devices(
    alice: Person, bob: Person
) -> None:
    room = alice.create_room(bob)["id"]
    for number in range(3):
        alice.send(room, str(number))
    async with bob.socket() as phone, bob.login().socket() as laptop:
        await phone.opened()
        await laptop.opened()
        reply = await phone.ask("read", room_id=room, seq=4)
        counts = {
            "room_id": room,
            "read_seq": 4,
            "unread_count": 1,
            "mention_count": 0,
            "head": 5,
        }
        assert reply == {"type": "ok", "id": reply["id"], **counts}
        assert (await laptop.until("read.moved"))["data"] == counts
        back = await phone.ok("read", room_id=room, seq=3)
        assert back["read_seq"] == 4, "it only moves forward"
        back = await phone.ok("read", room_id=room, seq=3, backward=True)
        assert (back["read_seq"], back["unread_count"]) == (3, 2)
        ahead = await phone.ok("read", room_id=room, seq=10**9)
        assert (ahead["read_seq"], ahead["unread_count"]) == (5, 0)


@pytest.mark.parametrize(
    "window",
    [{}, {"limit": 2}, {"before": 5}, {"after": 3, "limit": 2}, {"around": 4, "limit": 3}],
)
async def test_history_is_what_rest_answers(alice: Person, window: dict[str, int]) -> None:
    room = alice.create_room()["id"]
    for number in range(6):
        alice.send(room, str(number))
    async with alice.socket() as socket:
        await socket.opened()
        reply = await socket.ask("history", room_id=room, **window)
        page = alice.get(f"/rooms/{room}/messages", params=window)
        page["items"] = [told(message) for message in page["items"]]
        assert reply == {"type": "ok", "id": reply["id"], **page}


@pytest.mark.parametrize(
    "window", [{"limit": 0}, {"limit": 201}, {"before": 1, "after": 1}, {"before": -1}]
)
async def test_a_window_that_cannot_be_is_refused(alice: Person, window: dict[str, int]) -> None:
    room = alice.create_room()["id"]
    async with alice.socket() as socket:
        await socket.opened()
        await refused(socket, "invalid_request", "history", room_id=room, **window)


@pytest.mark.parametrize("direction", ["before", "after"])
async def test_a_page_of_history_is_as_short_as_a_frame_must_be(
    alice: Person, direction: str
) -> None:
    room = alice.create_room()["id"]
    told = [alice.send(room, BIG)["id"] for _ in range(14)]
    place, seen = (1_000, []) if direction == "before" else (0, [])  # type: tuple[int, list[str]]
    async with alice.socket() as socket:
        await socket.opened()
        for _ in range(len(told)):
            number = "😀" * 64
            await socket.command(
                "history", id=number, room_id=room, limit=200, **{direction: place}
            )
            raw = await asyncio.wait_for(socket.connection.recv(), 10)
            assert isinstance(raw, str)
            assert len(raw.encode()) <= 256 * 1024
            page = json.loads(raw)
            items = [message["id"] for message in page["items"]]
            seen = [*items, *seen] if direction == "before" else [*seen, *items]
            place = page["from"] if direction == "before" else page["to"]
            if not page["has_more"]:
                break
        assert seen == told
        around = await socket.ok("history", room_id=room, around=8, limit=200)
        assert 8 in [message["seq"] for message in around["items"]]


async def test_a_rooms_own_socket_may_leave_out_the_room(alice: Person) -> None:
    room, other = alice.create_room()["id"], alice.create_room()["id"]
    async with alice.socket(f"/ws/rooms/{room}/") as socket:
        await socket.opened()
        sent = await socket.ok("message.send", text="here")
        assert sent["message"]["room_id"] == room
        there = await socket.ok("message.send", text="there", room_id=other)
        assert there["message"]["room_id"] == other
        assert (await socket.ok("read", seq=2))["room_id"] == room
        assert [item["text"] for item in (await socket.ok("history"))["items"]] == ["here"]
    async with alice.socket() as socket:
        await socket.opened()
        error = await refused(socket, "invalid_request", "message.send", text="where?")
        assert error["errors"][0]["pointer"] == "/room_id"


@pytest.mark.parametrize("number", ["", "a", "x" * 64, "👨‍👩‍👧", "a\tb", 0, -7, 2**53 - 1])
async def test_a_reply_has_the_id_of_its_command(alice: Person, number: str | int) -> None:
    async with alice.socket() as socket:
        await socket.opened()
        await socket.command("ping", id=number)
        assert await socket.receive() == {"type": "pong", "id": number}
        await socket.command("unsubscribe", id=number, streams=[NOWHERE])
        assert await socket.receive() == {"type": "ok", "id": number}
        await socket.command("dance", id=number)
        assert (await socket.receive())["id"] == number


async def test_a_command_without_an_id_is_answered_without_one(alice: Person) -> None:
    async with alice.socket() as socket:
        await socket.opened()
        await socket.command("ping")
        assert await socket.receive() == {"type": "pong"}
        await socket.command("unsubscribe", streams=[NOWHERE])
        assert await socket.receive() == {"type": "ok"}
        await socket.command("dance", id=None)
        assert "id" not in await socket.receive()


async def test_writes_sent_without_waiting_keep_their_order_past_failures(
    alice: Person, bob: Person
) -> None:
    room = alice.create_room(bob)["id"]
    texts = [" " if number % 5 == 3 else str(number) for number in range(40)]
    async with alice.socket() as socket:
        await socket.opened()
        for number, text in enumerate(texts):
            await socket.command("message.send", id=number, room_id=room, text=text)
        replies = [await socket.receive() for _ in texts]
        assert [reply["id"] for reply in replies] == list(range(40))
        assert [reply["type"] for reply in replies] == [
            "error" if text == " " else "ok" for text in texts
        ]
        sent = [reply["message"] for reply in replies if reply["type"] == "ok"]
        assert [message["seq"] for message in sent] == list(range(3, 3 + len(sent)))
    history = bob.get(f"/rooms/{room}/messages", params={"limit": 50})["items"]
    assert [message["text"] for message in history] == [text for text in texts if text != " "]
