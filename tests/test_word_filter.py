"""The word filter of a room: for sends and edits, at both doors, in groups and one by one.

What a naive form does, and fails here: it keeps old words at hand after a change, at another
process; it filters after the message has its number; it compares a repeated send with what was
made of the first one; it lets an edit bring back what a send may not say.
"""

import asyncio
from typing import Any

import pytest

from tests.clients import Person
from tests.locks import held_until_all_wait, wait_for_locks
from tests.servers import World, one_world
from tests.test_audit import audit

both_forms = pytest.mark.parametrize("world", ["embedded", "clustered", "daphne"], indirect=True)


def set_filter(actor: Person, room: str, *words: str, action: str = "block") -> Any:
    body = {"words": list(words), "action": action}
    assert actor.expect(200, "PUT", f"/rooms/{room}/filter", json=body) == body
    return body


def texts(person: Person, room: str) -> list[str]:
    return [item["text"] for item in person.get(f"/rooms/{room}/messages")["items"]]


@both_forms
async def test_what_has_an_unwanted_word_is_refused_alone_and_takes_no_number(
    alice: Person, bob: Person
) -> None:
    room = alice.create_room(bob)["id"]
    said = bob.send(room, "fine")
    set_filter(alice, room, "bad", "Straße")
    for method, path in (("POST", f"/rooms/{room}/messages"), ("PATCH", f"/messages/{said['id']}")):
        problem = bob.refused(400, "invalid_request", method, path, json={"text": "too BAD"})
        assert problem["errors"] == [
            {"pointer": "/text", "detail": "A word in it is not wanted in this room."}
        ]
    async with bob.socket() as his:
        await his.opened()
        for number, text in enumerate(("one", "STRASSE!", "two", "bad", "badge")):
            await his.command("message.send", id=number, room_id=room, text=text)
        answers = [await his.reply(number) for number in range(5)]
        edit = await his.ask("message.edit", message_id=said["id"], text="bad")
    codes = [answer.get("code") for answer in answers]
    assert codes == [None, "invalid_request", None, "invalid_request", None]
    assert (edit["code"], edit["errors"][0]["pointer"]) == ("invalid_request", "/text")
    assert texts(alice, room) == ["fine", "one", "two", "badge"]
    assert alice.get(f"/rooms/{room}")["last_seq"] == 6
    alice.refused(400, "invalid_request", "POST", f"/rooms/{room}/messages", json={"text": "bad"})


@both_forms
async def test_what_is_masked_is_never_seen_by_anybody(alice: Person, bob: Person) -> None:
    room = alice.create_room(bob)["id"]
    set_filter(alice, room, "rude", action="mask")
    async with alice.socket() as hers, bob.socket() as his:
        await hers.opened()
        await hers.subscribe(room)
        await his.opened()
        sent = bob.send(room, "so RUDE 👍 rude", client_msg_id="once")
        created = await hers.until("message.created")
        reply = await his.ask("message.send", room_id=room, text="rude again")
        edited = bob.expect(
            200, "PATCH", f"/messages/{sent['id']}", json={"text": "rude, as I said"}
        )
        heard = await hers.until("message.edited")
    assert sent["text"] == created["data"]["text"] == "so **** 👍 ****"
    assert reply["message"]["text"] == "**** again"
    assert edited["text"] == heard["data"]["text"] == "****, as I said"
    assert "rude" not in str([alice.events(room), hers.events, alice.get("/sync")]).lower()
    path = f"/rooms/{room}/messages"
    body = {"text": "so RUDE 👍 rude", "client_msg_id": "once"}
    again = bob.call("POST", path, json=body)
    assert (again.status_code, again.json()["id"]) == (200, sent["id"])
    other = {"text": "so **** 👍 ****", "client_msg_id": "once"}
    bob.refused(409, "idempotency_conflict", "POST", path, json=other)


@one_world
def test_an_edit_that_masks_to_what_is_there_changes_nothing(alice: Person) -> None:
    room = alice.create_room()["id"]
    set_filter(alice, room, "bad", action="mask")
    sent = alice.send(room, "bad")
    again = alice.expect(200, "PATCH", f"/messages/{sent['id']}", json={"text": "bad"})
    assert (again["text"], again["changed_seq"]) == ("***", sent["seq"])
    set_filter(alice, room, "word", action="block")
    old = alice.send(room, "fine")
    set_filter(alice, room, "fine", action="block")
    body = {"text": "fine"}
    assert alice.expect(200, "PATCH", f"/messages/{old['id']}", json=body)["edited_at"] is None


def test_a_change_of_the_words_holds_at_once_at_every_process(alice: Person, bob: Person) -> None:
    room = alice.create_room(bob)["id"]
    path = f"/rooms/{room}/messages"
    for number in range(4):
        set_filter(alice, room, f"word{number}", "other")
        for person in (alice, bob):
            body = {"text": f"word{number}"}
            person.refused(400, "invalid_request", "POST", path, json=body)
            person.send(room, f"word{number - 1}")
    set_filter(alice, room)
    for person in (alice, bob):
        person.send(room, "word3 other")


async def test_nothing_unwanted_is_numbered_after_the_words_were_set(clustered: World) -> None:
    alice = Person.register(clustered.server.url, "alice")
    room = alice.create_room()["id"]
    with held_until_all_wait(clustered, room) as watcher:
        setting = asyncio.create_task(asyncio.to_thread(set_filter, alice, room, "bad"))
        await asyncio.to_thread(wait_for_locks, watcher, 1)  # whoever sends now comes first
        assert alice.get(f"/rooms/{room}/filter")["words"] == []
    await setting
    body = {"text": "bad"}
    alice.refused(400, "invalid_request", "POST", f"/rooms/{room}/messages", json=body)


@one_world
def test_the_filter_is_read_and_set_whole_and_told_to_the_audit(alice: Person, bob: Person) -> None:
    room = alice.create_room(bob)["id"]
    path = f"/rooms/{room}/filter"
    assert alice.get(path) == {"words": [], "action": "block"}
    made = set_filter(alice, room, "bad", "very bad")
    assert alice.get(path) == made
    for _ in range(2):
        set_filter(alice, room, "bad", action="mask")
    doubled = {"words": [" bad ", "bad", "x"], "action": "mask"}
    answer = alice.expect(200, "PUT", path, json=doubled)
    assert answer == {"words": ["bad", "x"], "action": "mask"}
    kept = [(entry["action"], entry["details"]) for entry in audit(alice, room)]
    assert kept == [
        ("filter.updated", {"action": "mask", "words": 2}),
        ("filter.updated", {"action": "mask", "words": 1}),
        ("filter.updated", {"action": "block", "words": 2}),
    ]
    assert len(alice.events(room)) == 2


@one_world
@pytest.mark.parametrize(
    ("words", "pointer"),
    [
        (["x"] * 501, "/words"),
        (["fine", "x" * 65], "/words/1"),
        ([""], "/words/0"),
        (["fine", " \u200b "], "/words/1"),
        ("bad", "/words"),
    ],
)
def test_words_are_few_and_short_and_can_be_seen(alice: Person, words: Any, pointer: str) -> None:
    room = alice.create_room()["id"]
    body = {"words": words, "action": "block"}
    problem = alice.refused(400, "invalid_request", "PUT", f"/rooms/{room}/filter", json=body)
    assert problem["errors"][0]["pointer"] == pointer
    alice.refused(400, "invalid_request", "PUT", f"/rooms/{room}/filter", json={"words": ["x"]})
    assert alice.get(f"/rooms/{room}/filter")["words"] == []


@one_world
async def test_five_hundred_words_and_a_long_text_take_no_noticeable_time(alice: Person) -> None:
    room = alice.create_room()["id"]
    set_filter(alice, room, *(f"{'+' * 55}word{n}" for n in range(500)), action="mask")
    async with asyncio.timeout(5):
        await asyncio.to_thread(alice.send, room, "+" * 10_000)


@one_world
def test_an_archived_room_keeps_its_filter(alice: Person, bob: Person) -> None:
    room = alice.create_room()["id"]
    set_filter(alice, room, "bad")
    alice.expect(200, "PATCH", f"/rooms/{room}", json={"archived": True})
    set_filter(alice, room, "bad")
    body = {"words": ["other"], "action": "block"}
    alice.refused(409, "room_archived", "PUT", f"/rooms/{room}/filter", json=body)
    direct = alice.expect(201, "POST", "/rooms/direct", json={"user_ids": [bob.id]})["id"]
    alice.refused(403, "permission_denied", "PUT", f"/rooms/{direct}/filter", json=body)
