"""Reactions: who gave a message which emoji, how often, and in which order they came."""

import uuid
from typing import Any
from urllib.parse import quote

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.models import User
from api.log.pages import Window
from api.messages.actions import send_message
from api.messages.queries import messages_in
from api.messages.reacting import add_reaction
from api.messages.schemas import Content
from api.rooms.actions import create_room
from api.rooms.schemas import CreateRoom
from tests.clients import Person, told
from tests.servers import on_both_servers, one_world

THUMB, HEART = "👍", "❤\ufe0f"


def path_of(message: dict[str, Any], emoji: str = THUMB) -> str:
    return f"/messages/{message['id']}/reactions/{quote(emoji, safe='')}"


def react(person: Person, message: dict[str, Any], emoji: str = THUMB) -> dict[str, Any]:
    answer: dict[str, Any] = person.expect(200, "PUT", path_of(message, emoji))
    return answer


def take_back(person: Person, message: dict[str, Any], emoji: str = THUMB) -> dict[str, Any]:
    answer: dict[str, Any] = person.expect(200, "DELETE", path_of(message, emoji))
    return answer


def shown(emoji: str, count: int, *, mine: bool) -> dict[str, Any]:
    return {"emoji": emoji, "count": count, "mine": mine}


def test_a_reaction_is_one_event_and_its_repetition_none(alice: Person, bob: Person) -> None:
    room = alice.create_room(bob)["id"]
    said = alice.send(room)

    assert react(bob, said) == {"seq": 4, "count": 1}
    assert react(alice, said) == {"seq": 5, "count": 2}
    assert react(bob, said) == {"seq": None, "count": 2}
    assert take_back(bob, said) == {"seq": 6, "count": 1}
    assert take_back(bob, said) == {"seq": None, "count": 1}
    assert take_back(alice, said) == {"seq": 7, "count": 0}
    assert take_back(alice, said) == {"seq": None, "count": 0}

    of_message = {"message_id": said["id"], "message_seq": 3, "emoji": THUMB}
    assert [
        (event["type"], event["seq"], event["actor_id"], event["data"])
        for event in bob.events(room, after=3)
    ] == [
        ("reaction.added", 4, bob.id, of_message | {"user_id": bob.id, "count": 1}),
        ("reaction.added", 5, alice.id, of_message | {"user_id": alice.id, "count": 2}),
        ("reaction.removed", 6, bob.id, of_message | {"user_id": bob.id, "count": 1}),
        ("reaction.removed", 7, alice.id, of_message | {"user_id": alice.id, "count": 0}),
    ]
    assert alice.get(f"/messages/{said['id']}") == said | {"changed_seq": 7}


def test_reactions_stand_wherever_a_message_is_shown(
    alice: Person, bob: Person, carol: Person
) -> None:
    room = alice.create_room(bob, carol)["id"]
    plain, said = alice.send(room), alice.send(room, client_msg_id="once")
    for person, emoji in ((bob, HEART), (carol, THUMB), (bob, THUMB), (carol, ":parrot:")):
        react(person, said, emoji)
    history = f"/rooms/{room}/messages"
    react(carol, plain, HEART)
    react(carol, said, HEART)
    take_back(bob, said, HEART)

    for person, mine in ((alice, ()), (bob, (THUMB,)), (carol, (HEART, THUMB, ":parrot:"))):
        reactions = [
            shown(HEART, 1, mine=HEART in mine),
            shown(THUMB, 2, mine=THUMB in mine),
            shown(":parrot:", 1, mine=":parrot:" in mine),
        ]
        seen = said | {"reactions": reactions, "changed_seq": 12}
        listed = [
            plain | {"reactions": [shown(HEART, 1, mine=person is carol)], "changed_seq": 10},
            seen,
        ]
        assert person.get(f"/messages/{said['id']}") == seen
        assert person.get(history)["items"] == listed
        assert person.get(f"{history}?around=6")["items"] == listed
        assert person.get(f"{history}?ids={said['id']}")["items"] == [seen]
        assert person.get(f"/rooms/{room}")["last_message"] == seen
        assert [item["last_message"] for item in person.get("/rooms")["items"]] == [seen]
        assert [item["last_message"] for item in person.get("/sync")["rooms"]] == [seen]
    content = {"text": said["text"], "client_msg_id": "once"}
    again = alice.expect(200, "POST", history, json=content)
    assert again["reactions"] == alice.get(f"/messages/{said['id']}")["reactions"]
    edited = alice.expect(200, "PATCH", f"/messages/{said['id']}", json={"text": "new"})
    assert edited == alice.get(f"/messages/{said['id']}")
    assert edited["reactions"] == again["reactions"]
    same = alice.expect(200, "PATCH", f"/messages/{said['id']}", json={"text": "new"})
    assert same == edited


def test_an_emoji_that_all_took_back_comes_last_when_it_comes_again(
    alice: Person, bob: Person
) -> None:
    room = alice.create_room(bob)["id"]
    said = alice.send(room)
    react(alice, said, THUMB)
    react(bob, said, HEART)
    react(bob, said, THUMB)
    take_back(alice, said, THUMB)
    emoji = [reaction["emoji"] for reaction in alice.get(f"/messages/{said['id']}")["reactions"]]
    assert emoji == [THUMB, HEART]
    take_back(bob, said, THUMB)
    react(bob, said, THUMB)
    emoji = [reaction["emoji"] for reaction in alice.get(f"/messages/{said['id']}")["reactions"]]
    assert emoji == [HEART, THUMB]


async def test_a_socket_reacts_as_rest_does(alice: Person, bob: Person) -> None:
    room = alice.create_room(bob)["id"]
    said = alice.send(room)
    fields = {"message_id": said["id"], "emoji": "❤"}
    async with bob.socket() as socket:
        await socket.opened()
        await socket.subscribe(room)
        added = await socket.ok("reaction.add", **fields)
        assert added == {"type": "ok", "id": added["id"], "seq": 4, "count": 1}
        await socket.reach(room, 4)
        (event,) = socket.of(room)
        assert event["data"]["emoji"] == HEART
        again = await socket.ok("reaction.add", **fields)
        assert (again["seq"], again["count"]) == (None, 1)
        removed = await socket.ok("reaction.remove", **fields)
        assert (removed["seq"], removed["count"]) == (5, 0)
        for emoji in ("", "no", "👍👍", "x" * 60_000):
            error = await socket.ask("reaction.add", message_id=said["id"], emoji=emoji)
            assert (error["code"], error["errors"][0]["pointer"]) == ("invalid_request", "/emoji")
        edited = await socket.ask("message.edit", message_id=said["id"], text="not mine")
        assert edited["code"] == "permission_denied"
    react(bob, said)
    async with alice.socket() as socket:
        await socket.opened()
        edited = await socket.ok("message.edit", message_id=said["id"], text="new")
        assert edited["message"] == told(alice.get(f"/messages/{said['id']}"))


@on_both_servers
@pytest.mark.parametrize(
    ("sent", "written"),
    [
        *(("%E2%9D%A4", HEART), ("%E2%9D%A4%EF%B8%8F", HEART), ("%23%E2%83%A3", "#\ufe0f\u20e3")),
        *((":%2B1:", ":+1:"), (":+1:", ":+1:"), ("%3Aok%3A", ":ok:"), ("👍🏽", "👍🏽")),
        (quote("👩🏻\u200d❤\u200d💋\u200d👩🏿"), "👩🏻\u200d❤\ufe0f\u200d💋\u200d👩🏿"),
        (quote("🏴\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f"), None),
    ],
)
def test_an_emoji_is_a_part_of_the_path(alice: Person, sent: str, written: str | None) -> None:
    said = alice.send(alice.create_room()["id"])
    path = f"/messages/{said['id']}"
    assert alice.expect(200, "PUT", f"{path}/reactions/{sent}")["count"] == 1
    (reaction,) = alice.get(path)["reactions"]
    assert reaction["emoji"] == (written or reaction["emoji"])
    assert alice.expect(200, "DELETE", f"{path}/reactions/{sent}")["count"] == 0


@on_both_servers
@pytest.mark.parametrize(
    "sent", ["a", "1", "%F0%9F%91", "%FF", "%00", "%20", "👍%20", "👍👍", ":A:"]
)
def test_what_is_no_emoji_is_refused(alice: Person, sent: str) -> None:
    said = alice.send(alice.create_room()["id"])
    for method in ("PUT", "DELETE"):
        path = f"/messages/{said['id']}/reactions/{sent}"
        problem = alice.refused(400, "invalid_request", method, path)
        assert [error["pointer"] for error in problem["errors"]] == ["/emoji"]
    assert alice.get(f"/messages/{said['id']}") == said


@pytest.mark.django_db(transaction=True)
def test_a_page_takes_one_statement_however_many_reactions_there_are() -> None:
    alice = User.objects.create(username="alice", skeleton="alice", display_name="alice")
    room = create_room(creator_id=alice.id, content=CreateRoom(name="room", kind="private"))

    def say() -> uuid.UUID:
        content = Content(text="hello")
        return send_message(sender_id=alice.id, room_id=room.id, content=content).message.id

    def statements() -> list[str]:
        with CaptureQueriesContext(connection) as captured:
            messages_in(room.id, alice.id, Window(limit=100))
        return [query["sql"].partition(" ")[0] for query in captured]

    said = [say() for _ in range(10)]
    for count in (0, 1, 10):
        for message_id in said[:count]:
            for emoji in (THUMB, HEART, f":number-{count}:"):
                add_reaction(user_id=alice.id, message_id=message_id, emoji=emoji)
        assert statements() == ["SELECT"]


@one_world
def test_a_reaction_is_a_change_that_a_careful_edit_notices(alice: Person) -> None:
    said = alice.send(alice.create_room()["id"])
    react(alice, said)
    careful = {"text": "new", "if_changed_seq": said["changed_seq"]}
    alice.refused(409, "conflict", "PATCH", f"/messages/{said['id']}", json=careful)
    alice.expect(200, "PATCH", f"/messages/{said['id']}", json={"text": "new"})
