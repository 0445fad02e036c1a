"""Which usernames there are, how they are stored, and which look alike."""

import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from accounts.usernames import RESERVED, checked, normalized, skeleton
from api.errors import InvalidRequest

names = st.text(string.ascii_lowercase + string.digits + "._-", min_size=3, max_size=32)


@pytest.mark.parametrize(
    ("name", "stored"),
    [
        ("alice", "alice"),
        ("Alice", "alice"),
        ("ALICE.B_c-9", "alice.b_c-9"),
        ("ａｌｉｃｅ", "alice"),  # noqa: RUF001  what full-width keyboards write
        ("aﬀe", "affe"),
        ("\u212aarl", "karl"),
        ("a" * 32, "a" * 32),
        ("...", "..."),
    ],
)
def test_a_username_is_stored_as_it_is_compared(name: str, stored: str) -> None:
    assert checked(name) == normalized(name) == stored


@pytest.mark.parametrize(
    "name",
    [
        "",
        "al",
        "a" * 33,
        "al ice",
        " alice",
        "alice\n",
        "alice\0",
        "al@ice",
        "ali/ce",
        "álice",
        "аlice",  # noqa: RUF001  a Cyrillic a
        "ali\u200bce",
        "straße!",
        "alice😀",
        "﷽",
    ],
)
def test_other_characters_and_lengths_are_refused(name: str) -> None:
    with pytest.raises(InvalidRequest) as caught:
        checked(name)
    assert [fault.pointer for fault in caught.value.errors] == ["/username"]


@pytest.mark.parametrize(
    "name", [*sorted(RESERVED - {"me"}), "SYSTEM", "Room", "systern", "r00m", "a11", "rne"]
)
def test_words_of_the_service_are_reserved_and_what_looks_like_them(name: str) -> None:
    """The naive form keeps a list of words: it knows "system", not "systern"."""
    with pytest.raises(InvalidRequest, match="reserved"):
        checked(name)


@given(name=names)
def test_a_stored_username_is_taken_as_it_is(name: str) -> None:
    if skeleton(name) in {skeleton(word) for word in RESERVED}:
        return
    assert checked(name) == checked(checked(name)) == checked(name.upper()) == name


@given(name=st.text())
def test_whatever_is_taken_is_short_plain_ascii(name: str) -> None:
    try:
        username = checked(name)
    except InvalidRequest:
        return
    assert set(username) <= set(string.ascii_lowercase + string.digits + "._-")
    assert 3 <= len(username) <= 32


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("alice", "a1ice"),
        ("alice", "aiice"),
        ("bill", "bi11"),
        ("bob", "b0b"),
        ("modern", "rnodem"),
        ("wanda", "vvanda"),
        ("learn", "leam"),
    ],
)
def test_usernames_that_a_reader_may_confuse_share_a_skeleton(one: str, other: str) -> None:
    assert skeleton(one) == skeleton(other)


@pytest.mark.parametrize(
    ("one", "other"), [("alice", "alicia"), ("bob", "rob"), ("a.b", "a-b"), ("anna", "ana")]
)
def test_usernames_that_differ_have_different_skeletons(one: str, other: str) -> None:
    assert skeleton(one) != skeleton(other)


@given(name=names)
def test_a_skeleton_is_its_own_skeleton(name: str) -> None:
    assert skeleton(skeleton(name)) == skeleton(name)
