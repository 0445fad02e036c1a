"""Pages of what is large: bounded in bytes too, and still parts that fit together.

Naive form: a page of as many as were asked for, 40 MB of it, kept for whoever does not read it.
"""

from typing import Any

import pytest

from tests.clients import Person
from tests.servers import one_world

LARGE = "😀" * 10_000  # 40,000 bytes
COUNT = 40
PAGE_BYTES = 1024 * 1024 + 1024  # and what stands around the items

pytestmark = one_world


@pytest.fixture
def room(alice: Person, bob: Person) -> str:
    """A room with more than fits on a page, from its second number on."""
    made: str = alice.create_room(bob)["id"]
    for _ in range(COUNT):
        alice.send(made, LARGE)
    return made


def page_of(person: Person, path: str, **params: Any) -> tuple[dict[str, Any], list[int]]:
    """Return a page that is not too large, and the numbers of what is on it."""
    answer = person.call("GET", path, params=params)
    assert answer.status_code == 200
    assert len(answer.content) <= PAGE_BYTES
    page = answer.json()
    return page, [item["seq"] for item in page["items"]]


@pytest.mark.parametrize("list_of", ["messages", "events"])
def test_forward_they_are_parts_of_the_whole(bob: Person, room: str, list_of: str) -> None:
    path, after, found = f"/rooms/{room}/{list_of}", 0, list[int]()
    while True:
        page, seqs = page_of(bob, path, after=after, limit=200)
        assert page["from"] == after + 1
        assert page["has_more"] == (page["to"] < page["head"])
        found += seqs
        after = page["to"]
        if not page["has_more"]:
            break
        assert 20 < len(seqs) < COUNT
    assert found[-COUNT:] == list(range(page["head"] - COUNT + 1, page["head"] + 1))


def test_backward_they_are_parts_of_the_whole(bob: Person, room: str) -> None:
    path, asked, found = f"/rooms/{room}/messages", dict[str, int](), list[int]()
    while True:
        page, seqs = page_of(bob, path, limit=200, **asked)
        assert page["to"] == asked.get("before", page["head"] + 1) - 1
        assert page["has_more"] == (page["from"] > 1)
        found = seqs + found
        if not page["has_more"]:
            break
        assert 20 < len(seqs) < COUNT
        asked = {"before": page["from"]}
    assert found == list(range(page["head"] - COUNT + 1, page["head"] + 1))


@pytest.mark.parametrize("place", [1, 3, 20, COUNT + 2])
def test_around_a_number_they_have_what_is_nearest(bob: Person, room: str, place: int) -> None:
    page, seqs = page_of(bob, f"/rooms/{room}/messages", around=place, limit=200)
    assert page["has_more"]
    assert seqs == list(range(seqs[0], seqs[-1] + 1))
    assert abs(min(seqs, key=lambda seq: abs(seq - place)) - place) <= 2
    assert page["from"] in (1, seqs[0])
    assert page["to"] in (page["head"], seqs[-1])
    further = {seqs[0] - 1, seqs[-1] + 1} & set(range(3, page["head"] + 1))
    assert min(abs(seq - place) for seq in further) >= max(abs(seq - place) for seq in seqs) - 1


async def test_who_was_away_gets_all_of_it(bob: Person, room: str) -> None:
    async with bob.socket() as socket:
        await socket.opened()
        await socket.subscribe(room, since=0)
        await socket.reach(room, COUNT + 2)
        said = [event for event in socket.of(room) if event["type"] == "message.created"]
        assert [event["data"]["text"] for event in said] == [LARGE] * COUNT
