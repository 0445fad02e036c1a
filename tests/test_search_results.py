"""How what is found is shown: in which order, page by page, with the part that matches."""

import pytest

from tests.clients import Person, at_once
from tests.test_search import ORDERS, found, paged


@pytest.fixture
def room(alice: Person, bob: Person) -> str:
    """A room of Alice and Bob."""
    return str(alice.create_room(bob)["id"])


def test_the_cursor_of_one_order_is_none_of_the_other(alice: Person, room: str) -> None:
    for _ in range(3):
        alice.send(room, "again")
    for order, other in (ORDERS, ORDERS[::-1]):
        params = {"q": "again", "limit": "1", "order": order}
        params["cursor"] = alice.get("/search", params=params)["next_cursor"]
        assert found(alice, **params) == ["again"]
        params["order"] = other
        alice.refused(400, "invalid_request", "GET", "/search", params=params)


async def test_pages_have_no_hole_and_no_repeat_while_messages_arrive(
    alice: Person, bob: Person, room: str
) -> None:
    await alice.talk(room, 60)
    second = alice.create_room(bob)["id"]
    await alice.talk(second, 60)
    (text,) = found(bob, "60", room=room)
    assert text == "60"
    everything = found(bob, **{"from": alice.id})
    assert everything == [str(number) for number in range(60, 0, -1)] * 2
    for order in ORDERS:
        params = {"from": alice.id, "limit": 7, "order": order}
        page = bob.get("/search", params=params)
        items, later = page["items"], set()
        while page["next_cursor"]:
            later.add(alice.send(room, "meanwhile")["id"])
            page = bob.get("/search", params=params | {"cursor": page["next_cursor"]})
            items += page["items"]
        seen = [item["message"]["id"] for item in items]
        assert len(seen) == len(set(seen))
        assert not later & set(seen)
        texts = [
            item["message"]["text"] for item in items if item["message"]["text"] != "meanwhile"
        ]
        assert texts == everything


def test_by_rank_the_best_come_first_and_the_newer_of_equals(alice: Person, room: str) -> None:
    once, often, long = "tea", "tea and tea and tea", "tea " + "and something else " * 20
    for text in (once, often, long, once):
        alice.send(room, text)
    alice.send(room, "coffee")
    best = [often, once, once, long.strip()]
    assert [text.strip() for text in found(alice, "tea", order="rank")] == best
    assert [text.strip() for text in paged(alice, 1, q="tea", order="rank")] == best
    ids = [
        item["message"]["seq"]
        for item in alice.get("/search", params={"q": "tea", "order": "rank"})["items"]
    ]
    assert ids[1] > ids[2]


def test_a_highlight_is_a_part_of_the_text_in_code_points(alice: Person, room: str) -> None:
    text = "😀 word " * 60 + "the needle, the NEEDLE " + "tail " * 60
    alice.send(room, text)
    (item,) = alice.get("/search", params={"q": 'needle "the needle"'})["items"]
    shown = item["highlight"]["text"]
    assert len(shown) <= 200
    assert shown in text
    marked = [shown[r["offset"] : r["offset"] + r["length"]] for r in item["highlight"]["ranges"]]
    assert marked == ["the needle", "the NEEDLE"]
    (item,) = alice.get("/search", params={"q": "-x", "from": alice.id})["items"]
    assert item["highlight"]["ranges"] == []
    assert text.startswith(item["highlight"]["text"])


@pytest.mark.parametrize("letter", ["👩\u200d👩\u200d👧\u200d👧", "🇩🇪", "👍🏽"])
@pytest.mark.parametrize("odd", ["", "!"])
def test_a_highlight_cuts_no_letter_as_people_see_letters(
    alice: Person, room: str, letter: str, odd: str
) -> None:
    alice.send(room, f"{letter * 300}{odd}needle{odd}{letter * 300}")
    (found,) = alice.get("/search", params={"q": '"needle"', "room": room})["items"]
    before, after = found["highlight"]["text"].split(f"{odd}needle{odd}")
    assert set(before.split(letter)) == set(after.split(letter)) == {""}
    assert len(before) >= 60
    assert len(after) >= 60


def test_sent_at_once_all_are_found_once(alice: Person, bob: Person, room: str) -> None:
    people = [alice, bob] * 8
    at_once(*[lambda p=person: p.send(room, "together") for person in people])
    assert paged(alice, 3, q="together") == ["together"] * 16
