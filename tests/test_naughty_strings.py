"""Strings that break software go in and come out the same, through every door and field."""

import json

from tests.clients import Person
from tests.servers import PROJECT, World

STRINGS: list[str] = json.loads((PROJECT / "tests/data/blns.json").read_text())
SAID = [text for text in STRINGS if text.strip()]
BLANK = [text for text in STRINGS if not text.strip()]
NAME_MAX, QUERY_MAX = 100, 200  # characters of a name, of what is looked for


def history(person: Person, room: str) -> list[str]:
    """Return every text of a room, page by page."""
    texts: list[str] = []
    before = ""
    for _ in range(len(STRINGS)):
        page = person.get(f"/rooms/{room}/messages?limit=200{before}")
        texts = [message["text"] for message in page["items"]] + texts
        before = f"&before={page['from']}"
        if page["from"] == 1:
            return texts
    raise AssertionError("The history has no beginning.")


def test_the_list_is_all_there() -> None:
    assert (len(STRINGS), len(SAID), len(BLANK)) == (509, 507, 2)


async def test_said_over_rest_every_string_is_heard_and_read_as_it_is(
    alice: Person, bob: Person
) -> None:
    room = alice.create_room(bob)["id"]
    async with bob.socket(f"/ws/rooms/{room}/") as socket:
        await socket.opened()
        await socket.until("subscribed")
        sent = [alice.send(room, text, metadata={"note": text}) for text in SAID]
        assert [message["text"] for message in sent] == SAID
        assert [message["metadata"] for message in sent] == [{"note": text} for text in SAID]
        await socket.reach(room, sent[-1]["seq"])
        assert [event["data"]["text"] for event in socket.of(room)] == SAID
        assert [event["data"]["metadata"]["note"] for event in socket.of(room)] == SAID
    assert history(bob, room) == SAID


async def test_said_over_a_socket_every_string_is_heard_and_read_as_it_is(
    alice: Person, bob: Person
) -> None:
    room = alice.create_room(bob)["id"]
    async with alice.socket() as hers, bob.socket(f"/ws/rooms/{room}/") as his:
        await hers.opened()
        await his.opened()
        await his.until("subscribed")
        sent = [await hers.ok("message.send", room_id=room, text=text) for text in SAID]
        assert [reply["message"]["text"] for reply in sent] == SAID
        await his.reach(room, sent[-1]["message"]["seq"])
        assert [event["data"]["text"] for event in his.of(room)] == SAID
    assert history(bob, room) == SAID


async def test_blank_strings_are_refused_at_both_doors(alice: Person) -> None:
    room = alice.create_room()["id"]
    async with alice.socket() as socket:
        await socket.opened()
        for text in BLANK:
            body = {"text": text}
            alice.refused(400, "invalid_request", "POST", f"/rooms/{room}/messages", json=body)
            error = await socket.ask("message.send", room_id=room, text=text)
            assert (error["code"], error["errors"][0]["pointer"]) == ("invalid_request", "/text")
    assert history(alice, room) == []


def test_every_string_that_fits_names_and_describes_a_room(alice: Person) -> None:
    room = "/rooms/" + alice.create_room()["id"]
    for text in STRINGS:
        if text.strip() and len(text) <= NAME_MAX:
            shown = alice.expect(200, "PATCH", room, json={"name": text, "topic": text})
            assert (shown["name"], shown["topic"]) == (text, text)
        else:
            problem = alice.refused(400, "invalid_request", "PATCH", room, json={"name": text})
            assert problem["errors"][0]["pointer"] == "/name"
            assert alice.expect(200, "PATCH", room, json={"topic": text})["topic"] == text


def test_every_string_that_fits_is_how_somebody_is_shown(embedded: World) -> None:
    dora = Person.register(embedded.server.url, "dora")
    for text in STRINGS:
        body = {"display_name": text}
        if text.strip() and len(text) <= NAME_MAX:
            assert dora.expect(200, "PATCH", "/me", json=body)["display_name"] == text
        else:
            problem = dora.refused(400, "invalid_request", "PATCH", "/me", json=body)
            assert problem["errors"][0]["pointer"] == "/display_name"


def test_every_string_can_be_looked_for(alice: Person) -> None:
    for text in STRINGS:
        if len(text) <= QUERY_MAX:
            alice.get("/users", params={"q": text})
