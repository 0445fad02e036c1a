"""Sessions: how they end, for whom, and that their tokens and sockets end with them."""

import pytest

from tests.clients import PASSWORD, Person, at_once
from tests.minting import expired
from tests.servers import World

ENDED = {"code": 4009, "reconnect": "no"}


def test_sessions_are_listed_the_last_used_first(alice: Person, bob: Person) -> None:
    laptop = alice.login("laptop")
    tablet = alice.login("🦉 tablet")
    laptop.expect(200, "POST", "/auth/refresh", json={"refresh": laptop.tokens["refresh"]})
    listed = alice.get("/auth/sessions")
    expected = [laptop, tablet, alice]
    assert [item["id"] for item in listed["items"]] == [
        person.tokens["session"]["id"] for person in expected
    ]
    assert [item["device"] for item in listed["items"]] == ["laptop", "🦉 tablet", ""]
    assert [item["current"] for item in listed["items"]] == [False, False, True]
    assert [item["address"] for item in listed["items"]] == ["127.0.0.1"] * 3
    assert listed["next_cursor"] is None
    assert [item["current"] for item in bob.get("/auth/sessions")["items"]] == [True]


def test_sessions_are_paged_as_other_lists_are(alice: Person) -> None:
    alice.login("laptop")
    alice.login("tablet")
    whole = alice.get("/auth/sessions")["items"]
    page = alice.get("/auth/sessions?limit=1")
    seen = page["items"]
    while page["next_cursor"]:
        page = alice.get(f"/auth/sessions?limit=1&cursor={page['next_cursor']}")
        seen += page["items"]
    assert seen == whole
    alice.refused(400, "invalid_request", "GET", "/auth/sessions?cursor=zzz")


async def test_ended_session_is_out_at_once_and_its_sockets_close(
    alice: Person, world: World
) -> None:
    lost = alice.login("lost phone").at(world.other.url)
    session = lost.tokens["session"]["id"]
    async with alice.socket() as own, lost.socket() as other:
        await own.opened()
        await other.opened()
        alice.expect(204, "DELETE", f"/auth/sessions/{session}")
        bye, code = await other.closed()
        assert (bye | ENDED, code) == (bye, 4009)
        told = await own.until("session.revoked")
        assert told["data"] == {"session_ids": [session]}
    lost.refused(401, "session_revoked", "GET", "/me")
    body = {"refresh": lost.tokens["refresh"]}
    lost.refused(401, "session_revoked", "POST", "/auth/refresh", json=body)
    assert [item["current"] for item in alice.get("/auth/sessions")["items"]] == [True]
    alice.refused(404, "not_found", "DELETE", f"/auth/sessions/{session}")


async def test_of_more_than_twenty_sessions_the_one_used_longest_ago_ends(
    alice: Person, world: World
) -> None:
    """Against counting by age: the first of them all has been used since."""
    second = alice.login("second").at(world.other.url)
    others = [alice.login(str(number)) for number in range(18)]
    alice.expect(200, "POST", "/auth/refresh", json={"refresh": alice.tokens["refresh"]})
    assert len(alice.get("/auth/sessions")["items"]) == 20
    async with second.socket() as socket, alice.socket() as staying:
        await socket.opened()
        await staying.opened()
        newest = alice.login("newest")
        bye, code = await socket.closed()
        assert (bye | ENDED, code) == (bye, 4009)
        told = await staying.until("session.revoked")
        assert told["data"] == {"session_ids": [second.tokens["session"]["id"]]}
        assert (await staying.ask("ping"))["type"] == "pong"
    second.refused(401, "session_revoked", "GET", "/me")
    for person in (alice, others[0], newest):
        person.get("/me")
    assert len(newest.get("/auth/sessions")["items"]) == 20


def test_parallel_logins_leave_twenty_sessions(alice: Person, world: World) -> None:
    """Against counting before one's own is there."""
    doors = [alice, alice.at(world.other.url)] * 14
    people = at_once(*(door.login for door in doors))
    statuses = [person.call("GET", "/me").status_code for person in (alice, *people)]
    assert sorted(statuses) == [200] * 20 + [401] * 9


def test_session_of_somebody_else_is_not_found(alice: Person, bob: Person) -> None:
    session = bob.tokens["session"]["id"]
    alice.refused(404, "not_found", "DELETE", f"/auth/sessions/{session}")
    alice.refused(404, "not_found", "DELETE", f"/auth/sessions/{alice.id}")
    bob.get("/me")


async def test_logout_ends_this_session_only(alice: Person) -> None:
    phone = alice.login("phone")
    async with phone.socket() as socket:
        await socket.opened()
        phone.expect(204, "POST", "/auth/logout")
        bye, code = await socket.closed()
        assert (bye | ENDED, code) == (bye, 4009)
    phone.refused(401, "session_revoked", "GET", "/me")
    phone.refused(401, "session_revoked", "POST", "/auth/logout")
    alice.get("/me")


@pytest.mark.parametrize("access", ["absent", "expired", "of another session"])
async def test_refresh_token_in_the_body_logs_its_own_session_out(
    alice: Person, world: World, access: str
) -> None:
    phone = alice.login("phone")
    token = {
        "absent": None,
        "expired": expired(world, phone.tokens["access"]),
        "of another session": alice.tokens["access"],
    }[access]
    body = {"refresh": phone.tokens["refresh"]}
    nobody = Person(alice.url, {"access": token} if token else {})
    async with phone.socket() as socket:
        await socket.opened()
        nobody.expect(204, "POST", "/auth/logout", json=body)
        assert (await socket.closed())[1] == 4009
    phone.refused(401, "session_revoked", "GET", "/me")
    alice.get("/me")


def test_logout_takes_a_token_and_a_true_one(alice: Person, world: World) -> None:
    nobody = Person(alice.url, {})
    nobody.refused(401, "not_authenticated", "POST", "/auth/logout")
    body = {"refresh": alice.tokens["refresh"] + "x"}
    nobody.refused(401, "invalid_token", "POST", "/auth/logout", json=body)
    late = Person(alice.url, {"access": expired(world, alice.tokens["access"])})
    late.refused(401, "token_expired", "POST", "/auth/logout")
    alice.get("/me")


async def test_logout_everywhere_ends_every_session_of_this_person(
    alice: Person, bob: Person, world: World
) -> None:
    phone = alice.login("phone").at(world.other.url)
    async with alice.socket() as own, phone.socket() as other:
        await own.opened()
        await other.opened()
        alice.expect(204, "POST", "/auth/logout-all")
        assert ((await own.closed())[1], (await other.closed())[1]) == (4009, 4009)
    for gone in (alice, phone):
        gone.refused(401, "session_revoked", "GET", "/me")
    bob.get("/me")
    assert len(alice.login().get("/auth/sessions")["items"]) == 1


async def test_password_change_ends_every_other_session(alice: Person, world: World) -> None:
    phone = alice.login("phone").at(world.other.url)
    new = "an entirely new one"
    async with alice.socket() as own, phone.socket() as other:
        await own.opened()
        await other.opened()
        body = {"current_password": PASSWORD, "new_password": new}
        alice.expect(204, "POST", "/auth/password", json=body)
        assert (await other.closed())[1] == 4009
        await own.until("session.revoked")
        assert (await own.ask("ping"))["type"] == "pong"
    phone.refused(401, "session_revoked", "GET", "/me")
    alice.expect(200, "POST", "/auth/refresh", json={"refresh": alice.tokens["refresh"]})
    login = {"username": alice.name, "password": PASSWORD}
    alice.refused(401, "invalid_credentials", "POST", "/auth/login", json=login)
    alice.expect(200, "POST", "/auth/login", json=login | {"password": new})


@pytest.mark.parametrize(
    ("current", "new", "status", "code"),
    [
        ("not her password", "an entirely new one", 401, "invalid_credentials"),
        (PASSWORD, "short", 400, "invalid_request"),
        (PASSWORD, "password1234", 400, "invalid_request"),
    ],
)
def test_refused_password_change_ends_nothing(
    embedded: World, current: str, new: str, status: int, code: str
) -> None:
    alice = Person.register(embedded.server.url, "alice")
    phone = alice.login("phone")
    body = {"current_password": current, "new_password": new}
    problem = alice.refused(status, code, "POST", "/auth/password", json=body)
    pointers = [fault["pointer"] for fault in problem.get("errors", [])]
    assert pointers == (["/new_password"] if status == 400 else [])
    phone.get("/me")
    alice.login()
