"""A nickname of an export is one person here, with a username, who cannot sign in."""

import re
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from accounts.usernames import checked, normalized
from api.imports.people import candidates
from tests.clients import PASSWORD, Person
from tests.exports import enter, export, line, load, people
from tests.servers import World

USERNAMES = {  # a last "-" stands for a suffix
    "Robert.B": "robert.b",
    "Ünal": "unal",
    "|away|": "away",
    "Guard] [an": "guard-an",
    "al": "al-",
    "here": "here-",
    "^^": "person-",
    "Иван": "person-",
    "wil1ow": "wil1ow",
    "wi1low": "wi1low-",
    "x" * 60: "x" * 27 + "-",
}


def test_nicknames_become_people_with_usernames_that_are_free(
    world: World, alice: Person, tmp_path: Path
) -> None:
    lines = [line("names", n, sender=nickname) for n, nickname in enumerate(USERNAMES)]
    load(world, export(tmp_path, *lines))

    found = people(alice, enter(alice, "names"))

    assert sorted(found) == sorted(USERNAMES)
    for nickname, username in USERNAMES.items():
        suffix = "[0-9a-f]{4}" if username.endswith("-") else ""
        assert re.fullmatch(re.escape(username) + suffix, found[nickname]["username"])
    lines = [line("names 2", n, sender=nickname) for n, nickname in enumerate(reversed(USERNAMES))]
    load(world, export(tmp_path, *lines))
    assert people(alice, enter(alice, "names 2")) == found


def test_neither_case_nor_white_space_around_it_make_another_person(
    embedded: World, tmp_path: Path
) -> None:
    alice = Person.register(embedded.server.url, "alice")
    same = ["Gus_G", "gus_g", " GUS_G ", "\uff27us_G"]
    lines = [line("case", n, sender=nickname) for n, nickname in enumerate(same)]
    load(embedded, export(tmp_path, *lines))
    room = enter(alice, "case")
    (gus,) = people(alice, room).values()
    assert (gus["username"], gus["display_name"]) == ("gus_g", "Gus_G")
    senders = [item["sender"] for item in alice.get(f"/rooms/{room}/messages")["items"]]
    assert senders == [gus] * len(same)


def test_nobody_speaks_for_somebody_who_is_here_already(embedded: World, tmp_path: Path) -> None:
    alice = Person.register(embedded.server.url, "alice")
    load(embedded, export(tmp_path, line("namesake", 0, sender=alice.name)))
    (other,) = people(alice, enter(alice, "namesake")).values()
    assert other["id"] != alice.id
    assert other["username"].startswith(alice.name + "-")
    assert other["display_name"] == alice.name


def test_nobody_signs_in_as_a_person_of_an_export(embedded: World, tmp_path: Path) -> None:
    carol = Person.register(embedded.server.url, "carol")
    load(embedded, export(tmp_path, line("closed", 0, sender="heidi")))
    (heidi,) = people(carol, enter(carol, "closed")).values()
    for password in (PASSWORD, "!", "heidi"):
        body = {"username": heidi["username"], "password": password}
        carol.refused(401, "invalid_credentials", "POST", "/auth/login", json=body)


@given(st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=100))
def test_every_nickname_has_usernames_and_always_the_same(nickname: str) -> None:
    key = normalized(nickname)
    names = list(candidates(key))
    assert names == [checked(name) for name in names] == list(candidates(key))
    assert len(set(names)) == len(names) >= 4
