"""Reactions: who gave a message which emoji, how often, and in which order they came."""

import asyncio
import uuid
from functools import partial
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
from tests.clients import Person, at_once, told
from tests.servers import World, on_both_servers, one_world

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


def applied(message: dict[str, Any], event: dict[str, Any], me: Person) -> dict[str, Any]:
    """Apply an event to a message of REST, as the documents tell a client to."""
    if event["seq"] <= message["changed_seq"]:
        return message
    data = event["data"]
    now = {reaction["emoji"]: reaction for reaction in message["reactions"]}
    before = now.get(data["emoji"], {"mine": False})
    by_me = data["user_id"] == me.id
    mine = event["type"] == "reaction.added" if by_me else before["mine"]
    now[data["emoji"]] = shown(data["emoji"], data["count"], mine=mine)
    left = [reaction for reaction in now.values() if reaction["count"]]
    return message | {"reactions": left, "changed_seq": event["seq"]}


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


async def test_old_state_and_events_are_what_a_fresh_look_shows(
    alice: Person, bob: Person, carol: Person
) -> None:
    room = alice.create_room(bob, carol)["id"]
    said = alice.send(room)
    copies = [said]

    def happens() -> None:
        for act, person, emoji in (
            *((react, bob, THUMB), (react, alice, HEART), (react, carol, THUMB)),
            *((take_back, bob, THUMB), (react, alice, THUMB), (take_back, alice, HEART)),
            *((take_back, carol, THUMB), (take_back, alice, THUMB), (react, alice, HEART)),
        ):
            act(person, said, emoji)
            copies.append(alice.get(f"/messages/{said['id']}"))

    async with alice.socket() as live:
        await live.opened()
        await live.subscribe(room)
        await asyncio.to_thread(happens)
        await live.reach(room, copies[-1]["changed_seq"])
    assert alice.events(room, after=said["seq"]) == live.of(room)
    assert len(live.of(room)) == 9
    for copy in copies:  # whatever the client knew, and however often it is told
        for events in (live.of(room), [event for event in live.of(room) for _ in range(2)]):
            state = copy
            for event in events:
                state = applied(state, event, alice)
            assert state == copies[-1]
    async with alice.socket() as later:
        await later.opened()
        head = (await later.subscribe(room, since=said["seq"]))["streams"][room]["head"]
        await later.reach(room, head)
    assert later.of(room) == live.of(room)


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


@pytest.mark.parametrize("way", ["one", "range"])
def test_a_tombstone_has_no_reactions_and_takes_none(alice: Person, bob: Person, way: str) -> None:
    room = alice.create_room(bob)["id"]
    said, beside = bob.send(room), bob.send(room)
    for message in (said, beside):
        react(alice, message)
    if way == "one":
        alice.expect(200, "DELETE", f"/messages/{said['id']}")
    else:
        ranges = {"ranges": [[said["seq"]] * 2]}
        alice.expect(200, "POST", f"/rooms/{room}/messages/delete", json=ranges)
    buried, kept = alice.get(f"/rooms/{room}/messages")["items"]
    assert (buried["reactions"], kept["reactions"]) == ([], [shown(THUMB, 1, mine=True)])
    for method in ("PUT", "DELETE"):
        alice.refused(404, "not_found", method, path_of(said))
    kinds = [event["type"] for event in alice.events(room, after=6)]
    assert kinds == ["message.deleted" if way == "one" else "messages.deleted"]


@one_world
def test_a_message_takes_fifty_kinds_and_of_each_any_number(alice: Person, bob: Person) -> None:
    room = alice.create_room(bob)["id"]
    said = alice.send(room)
    names = [f":number-{number}:" for number in range(50)]
    for name in names:
        react(alice, said, name)
    bob.refused(409, "limit_reached", "PUT", path_of(said))
    assert react(bob, said, names[7])["count"] == 2
    take_back(alice, said, names[8])
    assert react(bob, said)["count"] == 1
    bob.refused(409, "limit_reached", "PUT", path_of(said, names[8]))
    reactions = [reaction["emoji"] for reaction in bob.get(f"/messages/{said['id']}")["reactions"]]
    assert reactions == [*names[:8], *names[9:], THUMB]


def test_reactions_at_once_are_all_counted(world: World, alice: Person) -> None:
    people = [Person.register(alice.url, "fan") for _ in range(8)]
    room = alice.create_room(*people)["id"]
    said = alice.send(room)
    head = alice.get(f"/rooms/{room}")["last_seq"]
    devices = [person.at(server.url) for person in people for server in (world.server, world.other)]

    answers = at_once(*(partial(react, device, said) for device in devices))

    given = [answer for answer in answers if answer["seq"] is not None]
    assert sorted(answer["seq"] for answer in given) == list(range(head + 1, head + 9))
    ordered = sorted(given, key=lambda answer: answer["seq"])
    assert [answer["count"] for answer in ordered] == list(range(1, 9))
    events = alice.events(room, after=head)
    assert [event["data"]["count"] for event in events] == list(range(1, 9))
    assert {event["data"]["user_id"] for event in events} == {person.id for person in people}
    assert alice.get(f"/messages/{said['id']}")["reactions"] == [shown(THUMB, 8, mine=False)]

    at_once(*(partial(take_back, device, said) for device in devices))

    assert alice.get(f"/messages/{said['id']}")["reactions"] == []
    counts = [event["data"]["count"] for event in alice.events(room, after=head + 8)]
    assert counts == list(range(7, -1, -1))


def test_a_copy_says_at_which_number_its_reactions_are_true(
    world: World, alice: Person, bob: Person
) -> None:
    room = alice.create_room(bob)["id"]
    said = alice.send(room, client_msg_id="once")
    path, history = f"/messages/{said['id']}", f"/rooms/{room}/messages"
    again = {"text": said["text"], "client_msg_id": "once"}
    here, there = alice.at(world.server.url), alice.at(world.other.url)
    copies: list[dict[str, Any]] = []

    def toggles(person: Person, *emoji: str) -> None:
        for one in emoji * 5:
            react(person, said, one)
            take_back(person, said, one)

    def looks() -> None:
        for number in range(20):
            copies.append(here.get(path))
            copies.extend(there.get(history)["items"])
            copies.append(here.expect(200, "POST", history, json=again))
            copies.append(there.expect(200, "PATCH", path, json={"text": f"{number}"}))
            copies.append(here.get(f"/rooms/{room}")["last_message"])

    at_once(looks, partial(toggles, alice, THUMB, HEART), partial(toggles, bob, HEART, THUMB))

    events = alice.events(room, after=said["seq"])
    assert len(copies) == 100
    for copy in copies:
        state = said
        for event in events:
            if event["seq"] <= copy["changed_seq"] and event["type"].startswith("reaction."):
                state = applied(state, event, alice)
        assert copy["reactions"] == state["reactions"]


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
def test_an_archived_room_keeps_its_reactions_as_they_are(alice: Person) -> None:
    room = alice.create_room()["id"]
    said = alice.send(room)
    react(alice, said, HEART)
    alice.expect(200, "PATCH", f"/rooms/{room}", json={"archived": True})
    alice.refused(409, "room_archived", "PUT", path_of(said))
    alice.refused(409, "room_archived", "DELETE", path_of(said, HEART))
    assert react(alice, said, HEART) == {"seq": None, "count": 1}
    assert take_back(alice, said) == {"seq": None, "count": 0}


@one_world
def test_who_only_reads_may_still_take_back_what_they_gave(alice: Person, bob: Person) -> None:
    room = alice.create_room(bob)["id"]
    said = alice.send(room)
    react(bob, said)
    alice.expect(200, "PATCH", f"/rooms/{room}/members/{bob.id}", json={"role": "reader"})
    assert react(bob, said)["seq"] is None
    bob.refused(403, "permission_denied", "PUT", path_of(said, HEART))
    assert take_back(bob, said)["count"] == 0
    bob.refused(403, "permission_denied", "PUT", path_of(said))


@one_world
def test_who_leaves_leaves_their_reactions(alice: Person, bob: Person) -> None:
    room = alice.create_room(bob)["id"]
    said = alice.send(room)
    react(bob, said)
    bob.expect(204, "POST", f"/rooms/{room}/leave")
    bob.refused(404, "not_found", "DELETE", path_of(said))
    assert alice.get(f"/messages/{said['id']}")["reactions"] == [shown(THUMB, 1, mine=False)]
    alice.expect(201, "PUT", f"/rooms/{room}/members/{bob.id}", json={})
    assert bob.get(f"/messages/{said['id']}")["reactions"] == [shown(THUMB, 1, mine=True)]
    assert take_back(bob, said)["count"] == 0


@one_world
def test_a_reaction_is_a_change_that_a_careful_edit_notices(alice: Person) -> None:
    said = alice.send(alice.create_room()["id"])
    react(alice, said)
    careful = {"text": "new", "if_changed_seq": said["changed_seq"]}
    alice.refused(409, "conflict", "PATCH", f"/messages/{said['id']}", json=careful)
    alice.expect(200, "PATCH", f"/messages/{said['id']}", json={"text": "new"})
