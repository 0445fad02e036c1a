"""Lists by number: every page says which part of the stream it is, and the parts fit together."""

import itertools
from typing import Any

import pytest

from tests.clients import Person
from tests.servers import one_world

MESSAGES = [3, 4, 7, 8, 9, 12, 15]  # the numbers of the messages in the room below
HEAD = 17


@pytest.fixture
def room(alice: Person, bob: Person) -> str:
    """A room whose messages have other events before, between, and after them."""
    made: str = alice.create_room(bob)["id"]
    path = f"/rooms/{made}"
    said: dict[int, str] = {}
    for seq in range(3, HEAD + 1):
        if seq in MESSAGES:
            said[seq] = alice.send(made, f"text {seq}")["id"]
        elif seq == 10:
            alice.expect(200, "DELETE", f"/messages/{said[8]}")
        elif seq == 11:
            alice.expect(200, "PATCH", f"/messages/{said[9]}", json={"text": "new text"})
        else:
            alice.expect(200, "PATCH", path, json={"topic": f"topic {seq}"})
    assert alice.get(path)["last_seq"] == HEAD
    return made


def seqs(page: dict[str, Any]) -> list[int]:
    return [item["seq"] for item in page["items"]]


def check(page: dict[str, Any], kind: str, number: int, limit: int) -> None:
    """Hold a page against contract §1, knowing the whole."""
    first, last, found = page["from"], page["to"], seqs(page)
    older = [seq for seq in MESSAGES if seq < number]
    newer = [seq for seq in MESSAGES if seq > number]
    near = [seq for seq in MESSAGES if seq == number]
    assert page["head"] == HEAD
    assert found == [seq for seq in MESSAGES if first <= seq <= last]
    match kind:
        case "before":
            assert (found, last) == (older[-limit:], max(min(number - 1, HEAD), 0))
            assert page["has_more"] == (len(older) > limit) == (first > 1)
        case "after":
            assert (found, first) == (newer[:limit], min(number, HEAD) + 1)
            assert page["has_more"] == (len(newer) > limit) == (last < HEAD)
        case "around":
            assert first <= max(min(number, HEAD), 1) <= last + 1
            assert set(near) <= set(found)
            assert len(found) == min(limit, len(found))
            assert page["has_more"] == (found != MESSAGES) == (first > 1 or last < HEAD)


def test_every_page_is_what_it_says_it_is(bob: Person, room: str) -> None:
    for limit in (1, 2, 7, 200):
        path = f"/rooms/{room}/messages?limit={limit}"
        newest = bob.get(path)
        check(newest, "before", HEAD + 1, limit)
        assert newest["to"] == HEAD
        for kind in ("before", "after", "around"):
            for number in [*range(HEAD + 3), 2**53 - 1]:
                check(bob.get(f"{path}&{kind}={number}"), kind, number, limit)


@one_world
def test_a_neighbourhood_has_both_sides(bob: Person, room: str) -> None:
    path = f"/rooms/{room}/messages"
    assert seqs(bob.get(f"{path}?around=8&limit=4")) == [7, 8, 9, 12]
    assert seqs(bob.get(f"{path}?around=8&limit=3")) == [7, 8, 9]
    assert seqs(bob.get(f"{path}?around=8&limit=1")) == [8]
    assert seqs(bob.get(f"{path}?around=10&limit=2")) == [9, 12]


@one_world
def test_the_newest_page_is_the_default_and_holds_fifty(
    alice: Person, room: str, long_room: str
) -> None:
    alice.expect(200, "POST", f"/rooms/{long_room}/join")
    assert len(alice.get(f"/rooms/{long_room}/messages")["items"]) == 50
    page = alice.get(f"/rooms/{room}/messages")
    assert page == alice.get(f"/rooms/{room}/messages?thread=none")
    edges = {name: page[name] for name in page if name != "items"}
    assert edges == {"from": 1, "to": HEAD, "head": HEAD, "has_more": False}
    assert seqs(page) == MESSAGES


@one_world
def test_a_room_without_messages_has_one_empty_page(alice: Person) -> None:
    room = alice.create_room()["id"]
    for query in ("", "?before=2", "?after=0", "?around=1"):
        page = alice.get(f"/rooms/{room}/messages{query}")
        assert page == {"items": [], "from": 1, "to": 1, "head": 1, "has_more": False}
    beyond = {"items": [], "from": 2, "to": 1, "head": 1, "has_more": False}
    for query in ("?after=1", "?after=9"):
        assert alice.get(f"/rooms/{room}/messages{query}") == beyond


@one_world
def test_at_most_one_bound_is_taken(bob: Person, room: str) -> None:
    for one, other in itertools.combinations(["before=3", "after=3", "around=3"], 2):
        path = f"/rooms/{room}/messages?{one}&{other}"
        bob.refused(400, "invalid_request", "GET", path)


@one_world
def test_a_number_that_is_none_is_refused(bob: Person, room: str) -> None:
    bad = ("", "-1", "x", "1.5", "1e3", "+1", "\u0663", "9007199254740992", "9" * 99)
    names = {"messages": ("before", "after", "around", "limit"), "events": ("after", "limit")}
    for kind in names:
        for name, value in itertools.product(names[kind], bad):
            path = f"/rooms/{room}/{kind}"
            bob.refused(400, "invalid_request", "GET", path, params={name: value})


@one_world
def test_a_query_that_makes_no_sense_is_refused(bob: Person, room: str) -> None:
    for query in (
        "limit=0",
        "limit=201",
        "thread=x",
        "since=1",
        "after=1&after=2",
        "ids=",
        "%00=1",
    ):
        bob.refused(400, "invalid_request", "GET", f"/rooms/{room}/messages?{query}")


@one_world
def test_messages_are_found_by_their_ids_within_the_room(
    alice: Person, bob: Person, room: str
) -> None:
    path = f"/rooms/{room}/messages"
    known = bob.get(path)["items"]
    elsewhere = alice.send(alice.create_room()["id"])["id"]
    asked = [known[5]["id"], elsewhere, known[1]["id"], room, known[3]["id"]]
    page = bob.get(f"{path}?ids={','.join(asked)}")
    assert page["items"] == [known[1], known[3], known[5]]
    assert (page["head"], page["has_more"]) == (HEAD, False)
    assert len(bob.get(f"{path}?ids={','.join([room] * 99 + asked[:1])}")["items"]) == 1
    bob.refused(400, "invalid_request", "GET", f"{path}?ids={','.join([room] * 101)}")


def walk(person: Person, path: str, limit: int, *, back: bool) -> list[dict[str, Any]]:
    """Read a list from one end to the other, page by page."""
    step = "before" if back else "after"
    number = "" if back else f"&{step}=0"
    found: list[dict[str, Any]] = []
    for _ in range(2_000):
        page = person.get(f"{path}?limit={limit}{number}")
        assert len(page["items"]) <= limit
        found = page["items"] + found if back else found + page["items"]
        if not page["has_more"]:
            assert page["from"] == 1 if back else page["to"] == page["head"]
            return found
        number = f"&{step}={page['from' if back else 'to']}"
    raise AssertionError("The walk does not end.")


async def test_a_walk_meets_everything_once(alice: Person, bob: Person) -> None:
    room = alice.create_room(bob)["id"]
    await alice.talk(room, 150)
    alice.expect(200, "PATCH", f"/rooms/{room}", json={"topic": "in between"})
    await bob.talk(room, 151)
    for limit, back in itertools.product((7, 200), (True, False)):
        found = walk(bob, f"/rooms/{room}/messages", limit, back=back)
        assert [item["seq"] for item in found] == [*range(3, 153), *range(154, 305)]


@one_world
@pytest.mark.parametrize(("limit", "back"), [(200, True), (199, False)])
def test_a_thousand_messages_are_walked(
    alice: Person, long_room: str, limit: int, back: bool
) -> None:
    alice.expect(200, "POST", f"/rooms/{long_room}/join")
    found = walk(alice, f"/rooms/{long_room}/messages", limit, back=back)
    assert [message["text"] for message in found] == [str(number) for number in range(1, 1_002)]


@one_world
def test_a_walk_in_pages_of_one_meets_everything_once(bob: Person, room: str) -> None:
    for back in (True, False):
        found = walk(bob, f"/rooms/{room}/messages", 1, back=back)
        assert [message["seq"] for message in found] == MESSAGES


@one_world
def test_a_walk_back_is_not_disturbed_by_what_comes_meanwhile(alice: Person) -> None:
    room = alice.create_room()["id"]
    old = [alice.send(room, f"old {number}") for number in range(6)]
    page = alice.get(f"/rooms/{room}/messages?limit=2")
    found = page["items"]
    while page["has_more"]:
        alice.send(room, "meanwhile")
        page = alice.get(f"/rooms/{room}/messages?limit=2&before={page['from']}")
        found = page["items"] + found
    assert found == old


def test_events_are_caught_up_with_page_by_page(bob: Person, room: str) -> None:
    for path in (f"/rooms/{room}/events", "/me/events"):
        whole = bob.get(path)
        assert (whole["from"], whole["has_more"]) == (1, False)
        assert seqs(whole) == list(range(1, whole["head"] + 1))
        for limit in (1, 4, 1000):
            assert walk(bob, path, limit, back=False) == whole["items"]
            for after in (whole["head"], whole["head"] + 5):
                end = bob.get(f"{path}?after={after}&limit={limit}")
                edges = {"from": whole["head"] + 1, "to": whole["head"], "head": whole["head"]}
                assert end == {"items": [], "has_more": False} | edges


@one_world
def test_a_page_of_events_holds_up_to_a_thousand(alice: Person, long_room: str) -> None:
    alice.expect(200, "POST", f"/rooms/{long_room}/join")
    path = f"/rooms/{long_room}/events"
    page = alice.get(f"{path}?limit=1000")
    assert (seqs(page), page["to"], page["has_more"]) == (list(range(1, 1001)), 1000, True)
    assert len(alice.get(path)["items"]) == 50
    for unknown in ("limit=1001", "before=5", "around=5"):
        for at in (path, "/me/events"):
            alice.refused(400, "invalid_request", "GET", f"{at}?{unknown}")
