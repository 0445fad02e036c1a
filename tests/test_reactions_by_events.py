"""Reactions by events: old state and the log make what a fresh look shows, however many react."""

import asyncio
from functools import partial
from typing import Any

from tests.clients import Person, at_once
from tests.servers import World
from tests.test_reactions import HEART, THUMB, react, shown, take_back


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
