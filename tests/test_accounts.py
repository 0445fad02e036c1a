"""Accounts: registration, passwords and usernames, signing in, the own profile."""

import re
from typing import Any

import pytest

from tests.clients import PASSWORD, Person
from tests.servers import ACCESS_SECONDS, World

UUID7 = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")
INSTANT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")


@pytest.fixture
def nobody(embedded: World) -> Person:
    """Nobody has no account."""
    return Person(embedded.server.url, {})


def registration(username: str, **more: Any) -> dict[str, Any]:
    return {"username": username, "password": PASSWORD, **more}


def test_registration_makes_a_user_a_session_and_both_tokens(world: World) -> None:
    nobody = Person(world.server.url, {})
    body = registration("First.Person-1", display_name="First 🦉", device="a phone")
    made = nobody.expect(201, "POST", "/auth/register", json=body)
    user, session = made["user"], made["session"]
    assert UUID7.fullmatch(user["id"])
    assert UUID7.fullmatch(session["id"])
    assert INSTANT.fullmatch(user["created_at"])
    assert user == {
        "id": user["id"],
        "username": "first.person-1",
        "display_name": "First 🦉",
        "is_bot": False,
        "version": 1,
        "created_at": user["created_at"],
        "avatar": None,
        "hide_receipts": False,
    }
    assert session == {
        "id": session["id"],
        "device": "a phone",
        "created_at": session["created_at"],
        "last_used_at": session["created_at"],
        "address": "127.0.0.1",
        "current": True,
    }
    assert made["expires_in"] == ACCESS_SECONDS
    assert 0 <= 30 * 86_400 - made["refresh_expires_in"] <= 60
    assert Person(world.other.url, made).get("/me") == user


def test_display_name_is_the_username_as_it_was_written_unless_given(nobody: Person) -> None:
    made = nobody.expect(201, "POST", "/auth/register", json=registration("Ann-Marie"))
    assert (made["user"]["username"], made["user"]["display_name"]) == ("ann-marie", "Ann-Marie")


def test_login_opens_a_session_of_its_own(world: World) -> None:
    alice = Person.register(world.server.url, "alice")
    body = {"username": alice.name.upper(), "password": PASSWORD, "device": "laptop"}
    again = Person(world.other.url, {}).expect(200, "POST", "/auth/login", json=body)
    assert again["user"] == alice.user
    assert again["session"]["device"] == "laptop"
    assert again["session"]["id"] != alice.tokens["session"]["id"]
    assert again["refresh"] != alice.tokens["refresh"]


def test_unknown_and_wrong_are_told_the_same(nobody: Person) -> None:
    dora = Person.register(nobody.url, "dora")
    bodies = [
        {"username": dora.name, "password": "not her password"},
        {"username": "nobody-of-this-name", "password": "not her password"},
        {"username": "", "password": "not her password"},
    ]
    problems = [
        nobody.refused(401, "invalid_credentials", "POST", "/auth/login", json=body)
        for body in bodies
    ]
    for problem in problems:
        del problem["request_id"]
    assert problems == [
        {
            "type": "about:blank",
            "title": "Unauthorized",
            "status": 401,
            "detail": "The username or the password is wrong.",
            "code": "invalid_credentials",
            "retryable": False,
        }
    ] * len(bodies)


@pytest.mark.parametrize(
    "username",
    [
        *("ab", "a" * 33, "with space", "umläut", "slash/y", "emoji🦉", "at@home", "new\nline"),
        *("room", "ALL", "here", "Me", "ｓｙｓｔｅｍ"),  # noqa: RUF001  full-width letters
    ],
)
def test_username_that_is_misshapen_or_reserved_is_refused(nobody: Person, username: str) -> None:
    problem = nobody.refused(
        400, "invalid_request", "POST", "/auth/register", json=registration(username)
    )
    assert [fault["pointer"] for fault in problem["errors"]] == ["/username"]


@pytest.mark.parametrize(
    ("taken", "twin"),
    [
        ("morning-glory", "Morning-Glory"),
        ("bill.o0", "bi1l.0o"),
        ("barney", "bamey"),
        ("savvy", "sawy"),
        ("ingrid", "lngrid"),
        ("narrow", "\uff4earrow"),
    ],
)
def test_username_that_looks_like_another_is_taken(nobody: Person, taken: str, twin: str) -> None:
    nobody.expect(201, "POST", "/auth/register", json=registration(taken))
    nobody.refused(409, "username_taken", "POST", "/auth/register", json=registration(twin))


def test_a_blank_name_to_be_shown_is_refused(nobody: Person) -> None:
    body = registration("shown-blank", display_name=" \t ")
    problem = nobody.refused(400, "invalid_request", "POST", "/auth/register", json=body)
    assert [fault["pointer"] for fault in problem["errors"]] == ["/display_name"]


@pytest.mark.parametrize(
    "password", ["seven77", "password1234", "x" * 257, pytest.param("ab" * 2_100, id="enormous")]
)
def test_password_that_is_short_common_or_enormous_is_refused(
    nobody: Person, password: str
) -> None:
    body = {"username": "weak-password", "password": password}
    problem = nobody.refused(400, "invalid_request", "POST", "/auth/register", json=body)
    assert [fault["pointer"] for fault in problem["errors"]] == ["/password"]
    nobody.refused(401, "invalid_credentials", "POST", "/auth/login", json=body | {"password": "x"})


@pytest.mark.parametrize(
    "password",
    ["        ", "пароль-из-слов", "🦉" * 256, "tabs\tand\nlines", "\u0001\u007f\u202e hidden"],
)
def test_any_other_password_is_taken_exactly_as_it_is(nobody: Person, password: str) -> None:
    username = f"any-password-{len(password)}-{ord(password[0])}"
    body = {"username": username, "password": password}
    nobody.expect(201, "POST", "/auth/register", json=body)
    nobody.expect(200, "POST", "/auth/login", json=body)
    longer = body | {"password": password + " "}
    nobody.refused(401, "invalid_credentials", "POST", "/auth/login", json=longer)


def test_profile_changes_count_and_what_is_the_same_does_not(alice: Person) -> None:
    renamed = alice.expect(200, "PATCH", "/me", json={"display_name": "  Alice 🌊 "})
    changed = {"display_name": "  Alice 🌊 ", "version": 2}
    assert renamed == alice.user | changed
    assert alice.expect(200, "PATCH", "/me", json={"display_name": "  Alice 🌊 "}) == renamed
    assert alice.expect(200, "PATCH", "/me", json={}) == renamed
    for name in ("", " \u2003 ", "x" * 101, None):
        problem = alice.refused(400, "invalid_request", "PATCH", "/me", json={"display_name": name})
        assert problem["errors"][0]["pointer"] == "/display_name"
    assert alice.get("/me") == renamed
    assert alice.get("/me/events")["items"][-1]["data"] == renamed


async def test_changed_profile_reaches_the_own_sockets(alice: Person) -> None:
    async with alice.socket() as socket:
        await socket.opened()
        renamed = alice.expect(200, "PATCH", "/me", json={"display_name": "Someone Else"})
        assert (await socket.until("me.updated"))["data"] == renamed
