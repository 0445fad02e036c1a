"""Where a text may name somebody, and by which names: the pure part of mentions."""

import json
import string
import uuid

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from accounts.usernames import normalized
from api.mentions.parsing import (
    NAMES_MAX,
    PEOPLE_MAX,
    PLACES_MAX,
    Named,
    named,
    places,
    strangers,
)
from tests.servers import PROJECT

STRINGS: list[str] = json.loads((PROJECT / "tests/data/blns.json").read_text())
PEOPLE = {
    name: uuid.uuid5(uuid.NAMESPACE_DNS, name)
    for name in ("ann", "ann.lee", "bob", "bob.", "x_-", "office", "strasse", "a" * 32)
}

texts = st.one_of(
    st.text(max_size=60),
    st.text("@ ann.lee-_bob/+é\u0301room你\uff21\uff2e", max_size=60),
    st.sampled_from(STRINGS),
)


def said(text: str) -> list[str]:
    """Return what of a text names somebody of these people, or the room."""
    return [
        text[found.offset : found.offset + found.length] for found in named(places(text), PEOPLE)
    ]


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("@ann", ["@ann"]),
        ("hello @ann, @bob!", ["@ann", "@bob"]),
        ("@ANN @Ann @\uff41\uff4e\uff4e", ["@ANN", "@Ann", "@\uff41\uff4e\uff4e"]),
        ('(@ann) "@ann" *@ann* _@ann_ .@ann -@ann\n@ann', ["@ann"] * 7),
        ("@ann's @ann: @ann; @ann? @ann... @ann--", ["@ann"] * 6),
        ("@ann.lee @ann.lee. @ann.", ["@ann.lee", "@ann.lee", "@ann"]),
        ("@ann.le @ann-lee @annlee @ann_x", []),
        ("@bob. @bob.. @bob", ["@bob.", "@bob.", "@bob"]),
        ("@x_-", ["@x_-"]),
        ("@oﬃce @straße", ["@oﬃce", "@straße"]),
        ("@" + "a" * 32 + "@" + "a" * 33, []),
        ("@" + "a" * 32 + " @" + "a" * 33, ["@" + "a" * 32]),
        ("你好@ann你好 привет@bob,привет", ["@ann", "@bob"]),
        ("me@ann me.@ann me-@ann me+@ann é@ann ü@bob.com", ["@ann"]),
        ("@@ann //@ann https://example.org/@ann", []),
        ("@ann@example.org @ann@bob", []),
        ("@anné @ann\u0301 @anné.", []),
        ("@ann\u2026 @ann\u3002", ["@ann", "@ann"]),
        ("@room @ROOM. @rooms @room-1 a@room", ["@room", "@ROOM"]),
        ("@all @here @me @nobody @ @. @an", []),
        ("\U0001f600@ann \U0001f600 @bob", ["@ann", "@bob"]),
    ],
)
def test_names_are_found_as_people_write_them(text: str, names: list[str]) -> None:
    assert said(text) == names


def test_offsets_are_code_points_and_the_room_has_no_person() -> None:
    text = "\U0001f600\u0301 @ann @room"
    assert named(places(text), PEOPLE) == [
        Named(PEOPLE["ann"], 3, 4),
        Named(None, 8, 5),
    ]


def test_somebody_called_room_with_a_dot_is_named_first() -> None:
    person = uuid.uuid4()
    assert named(places("@room. @room"), {"room.": person}) == [
        Named(person, 0, 6),
        Named(None, 7, 5),
    ]


def test_others_are_meant_only_where_nobody_there_is_named() -> None:
    others = {"carl", "carl.", "bob..", "dan"}
    found = places("@carl. @carl @bob.. @dan @dan @room @erik a@dan")
    assert strangers(found, PEOPLE, others) == ["carl.", "carl", "dan"]


def test_a_text_names_so_many_people_and_at_so_many_places() -> None:
    people = {f"p{number:03}": uuid.uuid4() for number in range(PEOPLE_MAX + 1)}
    every = " ".join(f"@{name}" for name in people)
    first = list(people.values())[:PEOPLE_MAX]
    assert [found.user_id for found in named(places(every), people)] == first
    again = named(places(f"{every} @p000"), people)
    assert [found.user_id for found in again] == [*first, first[0]]
    assert len(named(places("@ann " * 1_000), PEOPLE)) == PLACES_MAX
    assert len(strangers(places(every), {}, people)) == PEOPLE_MAX


def test_so_many_names_of_a_text_are_looked_up() -> None:
    found = places(" ".join(f"@p{number:03}" for number in range(NAMES_MAX + 1)))
    assert len(found) == NAMES_MAX
    assert named(places("@ann " + "@ann. " * 1_000), PEOPLE)[0] == Named(PEOPLE["ann"], 0, 4)


def test_long_nonsense_is_read_in_no_time() -> None:
    for text in ("@" * 10_000, "@" + "." * 9_999, "@." * 5_000, "@" + "a." * 5_000, "@a-_" * 2_500):
        assert said(text) == []


@given(texts)
@example("@ann")
def test_what_is_named_is_written_there(text: str) -> None:
    ids = {user_id: name for name, user_id in PEOPLE.items()}
    end = 0
    for found in named(places(text), PEOPLE):
        assert found.offset >= end
        end = found.offset + found.length
        written = text[found.offset : end]
        assert written[0] == "@"
        assert normalized(written[1:]) == ("room" if found.user_id is None else ids[found.user_id])


@given(texts, st.text(string.ascii_letters, min_size=1, max_size=5))
def test_in_the_middle_of_a_word_nobody_is_named(before: str, word: str) -> None:
    text = f"{before} {word}@ann"
    assert all(found.offset < len(before) for found in named(places(text), PEOPLE))


@given(texts)
def test_no_text_is_named_without_an_at(text: str) -> None:
    assert places(text.replace("@", "")) == []
