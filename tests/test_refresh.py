"""The refresh rule: who lost an answer is not signed out, who holds a stolen token is."""

import uuid
from typing import Any, Literal

import httpx
import pytest

from tests.clients import Person, Socket, at_once
from tests.minting import altered
from tests.record import change, in_seconds
from tests.servers import ACCESS_SECONDS, World

Use = Literal["rest", "socket", "refresh"]
USES: list[Use] = ["rest", "socket", "refresh"]


def refresh(person: Person, token: str | None = None) -> httpx.Response:
    """Use a refresh token, by default the one that the person was given with the session."""
    body = {"refresh": token or person.tokens["refresh"]}
    return Person(person.url, {}).call("POST", "/auth/refresh", json=body)


def refreshed(person: Person, token: str | None = None) -> Person:
    """Return the person with the tokens that a refresh token is good for."""
    response = refresh(person, token)
    assert response.status_code == 200, response.text
    return Person(person.url, response.json())


def refused(person: Person, token: str | None = None) -> str:
    """Return the code with which a refresh token is refused."""
    response = refresh(person, token)
    assert response.status_code == 401, response.text
    return str(response.json()["code"])


async def use(person: Person, how: Use) -> None:
    """Show the service that these tokens have arrived."""
    match how:
        case "rest":
            person.get("/me")
        case "socket":
            async with person.socket() as socket:
                await socket.opened()
        case "refresh":
            refreshed(person)


def later(world: World, person: Person, seconds: int) -> None:
    """Let the replaced tokens of this session have been replaced so long ago."""
    change(
        world,
        "UPDATE accounts_refreshtoken SET replaced_at = %s"
        " WHERE session_id = %s AND replaced_at IS NOT NULL",
        in_seconds(-seconds),
        uuid.UUID(person.tokens["session"]["id"]),
    )


def session_ends(world: World, person: Person, column: str, seconds: int) -> None:
    """Move one of the ends of this session."""
    session = uuid.UUID(person.tokens["session"]["id"])
    statement = f"UPDATE accounts_session SET {column} = %s WHERE id = %s"  # noqa: S608
    change(world, statement, in_seconds(seconds), session)


def test_refresh_gives_new_tokens_for_the_same_session(alice: Person) -> None:
    first = alice.tokens
    answer = refresh(alice).json()
    session = answer["session"]
    assert session == first["session"] | {"last_used_at": session["last_used_at"]}
    assert session["last_used_at"] > first["session"]["last_used_at"]
    assert answer == {
        "session": session,
        "access": answer["access"],
        "expires_in": ACCESS_SECONDS,
        "refresh": answer["refresh"],
        "refresh_expires_in": answer["refresh_expires_in"],
    }
    assert (answer["access"], answer["refresh"]) != (first["access"], first["refresh"])
    assert 0 <= 30 * 86_400 - answer["refresh_expires_in"] <= 60
    assert Person(alice.url, answer).get("/me") == alice.user
    assert alice.get("/me") == alice.user, "earlier access tokens stay good"


def test_lost_answer_is_given_again_however_late(world: World, alice: Person) -> None:
    second = refreshed(alice)
    later(world, alice, 7 * 86_400)
    again = refreshed(alice.at(world.other.url))
    assert again.tokens["refresh"] == second.tokens["refresh"]
    assert refreshed(alice).tokens["refresh"] == second.tokens["refresh"]
    assert again.get("/me") == alice.user


@pytest.mark.parametrize("how", USES)
async def test_replaced_token_is_forgiven_for_ten_seconds_though_its_successor_was_used(
    world: World, alice: Person, how: Use
) -> None:
    second = refreshed(alice)
    await use(second, how)
    later(world, alice, -60)  # however busy the machine is
    assert refreshed(alice).tokens["refresh"] == second.tokens["refresh"]
    assert second.get("/me") == alice.user


@pytest.mark.parametrize("how", USES)
async def test_replaced_token_ends_the_session_once_its_successor_was_used(
    world: World, alice: Person, how: Use
) -> None:
    other = alice.login("untouched")
    second = refreshed(alice)
    await use(second, how)
    later(world, alice, 11)
    async with alice.socket() as socket, other.socket() as untouched:
        await socket.opened()
        await untouched.opened()
        assert refused(alice.at(world.other.url)) == "refresh_reused"
        bye, code = await socket.closed()
        assert (bye["code"], bye["reconnect"], code) == (4009, "no", 4009)
        told = await untouched.until("session.revoked")
        assert told["data"] == {"session_ids": [alice.tokens["session"]["id"]]}
    for ended in (alice, second):
        ended.refused(401, "session_revoked", "GET", "/me")
        assert refused(ended) == "session_revoked"
    other.get("/me")


async def test_access_token_of_before_proves_nothing_about_the_successor(
    world: World, alice: Person
) -> None:
    second = refreshed(alice)
    await use(alice, "rest")
    await use(alice, "socket")
    token = alice.expect(201, "POST", "/auth/socket-token")["token"]
    async with Socket(f"{alice.ws}/ws/?token={token}") as socket:
        await socket.opened()
    later(world, alice, 11)
    assert refreshed(alice).tokens["refresh"] == second.tokens["refresh"]


def test_token_two_generations_old_is_a_reuse(world: World, alice: Person) -> None:
    third = refreshed(refreshed(alice))
    later(world, alice, 11)
    assert refused(alice) == "refresh_reused"
    third.refused(401, "session_revoked", "GET", "/me")


def strangers_tokens(person: Person) -> dict[str, str]:
    session, generation, secret = person.tokens["refresh"].split(".")
    return {
        "another secret": f"{session}.{generation}.{altered(secret)}",
        "another generation": f"{session}.7.{secret}",
        "no such number": f"{session}.0.{secret}",
        "a number too many": f"{session}.{'9' * 4_000}.x",
        "digits of another script": f"{session}.\u0661.{secret}",
        "another session": f"{uuid.uuid4()}.{generation}.{secret}",
        "no session": f"x.{generation}.{secret}",
        "no secret": f"{session}.{generation}.",
        "a part too many": f"{session}.{generation}.{secret}.x",
        "an access token": person.tokens["access"],
        "other alphabets": "🦉.1.ключ",
    }


@pytest.mark.parametrize("kind", strangers_tokens(Person("", {"refresh": "a.1.b", "access": ""})))
def test_unknown_token_ends_nothing(embedded: World, kind: str) -> None:
    alice = Person.register(embedded.server.url, "alice")
    second = refreshed(alice)
    later(embedded, alice, 11)
    assert refused(alice, strangers_tokens(second)[kind]) == "invalid_token"
    assert refused(alice, strangers_tokens(alice)[kind]) == "invalid_token"
    assert second.get("/me") == alice.user
    refreshed(second)


def test_parallel_refreshes_have_one_successor(world: World, alice: Person) -> None:
    doors = [alice, alice.at(world.other.url)] * 25
    answers = at_once(*(lambda door=door: refresh(door) for door in doors))
    assert [answer.status_code for answer in answers] == [200] * len(doors)
    (successor,) = {answer.json()["refresh"] for answer in answers}
    assert refreshed(alice, successor).get("/me") == alice.user


def test_parallel_reuse_ends_the_session_once(world: World, alice: Person) -> None:
    other = alice.login()
    refreshed(refreshed(alice))
    later(world, alice, 11)
    doors = [alice, alice.at(world.other.url)] * 4
    codes = at_once(*(lambda door=door: refused(door) for door in doors))
    assert sorted(codes) == ["refresh_reused"] + ["session_revoked"] * (len(doors) - 1)
    told = [event for event in other.events(alice.id) if event["type"] == "session.revoked"]
    assert len(told) == 1


def test_session_that_nobody_used_for_thirty_days_has_expired(world: World, alice: Person) -> None:
    session_ends(world, alice, "expires_at", -1)
    assert refused(alice) == "token_expired"
    alice.refused(401, "token_expired", "GET", "/me")
    body: dict[str, Any] = {"refresh": alice.tokens["refresh"]}
    Person(alice.url, {}).expect(204, "POST", "/auth/logout", json=body)


def test_refresh_slides_no_further_than_ninety_days(world: World, alice: Person) -> None:
    session_ends(world, alice, "ends_at", 200)
    slid = refreshed(alice)
    assert 100 < slid.tokens["refresh_expires_in"] <= 200
    assert slid.tokens["expires_in"] == slid.tokens["refresh_expires_in"]


def test_a_lost_answer_is_given_again_also_when_the_secret_key_has_changed(
    world: World, alice: Person
) -> None:
    """Against making the successor anew: it would be one that the record does not know."""
    first = refreshed(alice)
    another = "of-no-use-anywhere-but-in-this-test-0123456789"
    with world.beside({}, SECRET_KEY=another) as server:
        there = alice.at(server.url)
        again = refreshed(there)
        assert again.tokens["refresh"] != first.tokens["refresh"]
        assert refreshed(there).tokens["refresh"] == again.tokens["refresh"]
        assert refused(there, first.tokens["refresh"]) == "invalid_token", "it never arrived"
        third = refreshed(there, again.tokens["refresh"])
        assert third.get("/me") == alice.user
        told = refresh(alice, again.tokens["refresh"])
        assert told.status_code == 503, "the client holds another one by now, and keeps it"
        assert refreshed(there, third.tokens["refresh"]).get("/me") == alice.user
