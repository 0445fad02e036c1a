"""People one may look up: those one shares a room with, or knows the exact username of."""

import uuid

import pytest

from tests.clients import Person, profile, sender
from tests.record import change, in_seconds
from tests.servers import World

ROOM = {"name": "room", "kind": "private"}


def named(found: dict[str, list[dict[str, str]]]) -> list[str]:
    return [user["id"] for user in found["items"]]


def test_one_sees_oneself_and_those_one_shares_a_room_with(
    alice: Person, bob: Person, carol: Person
) -> None:
    assert alice.get("/users") == {"items": [profile(alice.user)], "next_cursor": None}
    room = alice.create_room(bob)["id"]
    bob_as_now = profile(bob.get("/me"))
    everybody = {"items": [profile(alice.user), bob_as_now], "next_cursor": None}
    assert alice.get("/users") == bob.get("/users") == everybody
    assert bob.get(f"/users/{alice.id}") == profile(alice.user)
    assert carol.get("/users") == {"items": [profile(carol.user)], "next_cursor": None}
    for stranger in (alice, bob):
        carol.refused(404, "not_found", "GET", f"/users/{stranger.id}")
        stranger.refused(404, "not_found", "GET", f"/users/{carol.id}")
    bob.expect(204, "POST", f"/rooms/{room}/leave")
    assert named(alice.get("/users")) == [alice.id]
    alice.refused(404, "not_found", "GET", f"/users/{bob.id}")


def test_direct_and_public_rooms_make_acquaintances_too(
    alice: Person, bob: Person, carol: Person
) -> None:
    alice.expect(201, "POST", "/rooms/direct", json={"user_ids": [bob.id]})
    public = alice.create_room(kind="public")["id"]
    carol.refused(404, "not_found", "GET", f"/users/{alice.id}")
    carol.expect(200, "POST", f"/rooms/{public}/join")
    assert carol.get(f"/users/{alice.id}") == profile(alice.user)
    assert named(alice.get("/users")) == sorted([alice.id, bob.id, carol.id])
    carol.refused(404, "not_found", "GET", f"/users/{bob.id}")


def test_search_finds_parts_of_names_among_acquaintances_only(
    alice: Person, bob: Person, carol: Person
) -> None:
    alice.create_room(bob)
    bob.expect(200, "PATCH", "/me", json={"display_name": "Robert 100% _Ünal_ Maß"})
    for text in (bob.name[2:7], "OBERT", "100%", "_Ün", "_üNAL", "MAß"):
        assert bob.id in named(alice.get("/users", params={"q": text})), text
    for text in ("Rob_rt", "R%t", "MASS", "\\", bob.name + "x", carol.name[:-1]):
        assert not {bob.id, carol.id} & set(named(alice.get("/users", params={"q": text}))), text


def test_exact_username_finds_anybody(alice: Person, carol: Person) -> None:
    for text in (carol.name, carol.name.upper(), carol.name.replace("c", "\uff43")):
        assert alice.get("/users", params={"q": text}) == {
            "items": [profile(carol.user)],
            "next_cursor": None,
        }


def test_ids_return_those_one_may_see_in_the_order_of_their_ids(
    alice: Person, bob: Person, carol: Person
) -> None:
    alice.create_room(bob)
    asked = [bob.id, carol.id, str(uuid.uuid4()), alice.id, bob.id]
    found = alice.get("/users", params={"ids": ",".join(asked)})
    assert found == {"items": [profile(alice.user), profile(bob.get("/me"))], "next_cursor": None}
    hundred = [str(uuid.uuid4()) for _ in range(99)] + [alice.id]
    assert named(alice.get("/users", params={"ids": ",".join(hundred)})) == [alice.id]
    too_many = {"ids": ",".join([*hundred, bob.id])}
    alice.refused(400, "invalid_request", "GET", "/users", params=too_many)


def test_pages_are_whole_and_without_repeats(alice: Person, bob: Person, carol: Person) -> None:
    alice.create_room(bob, carol)
    people = sorted([alice.id, bob.id, carol.id])
    for size, pages in ((1, 3), (2, 2), (3, 1), (200, 1)):
        seen: list[str] = []
        params: dict[str, str | int] = {"limit": size}
        for page in range(pages):
            found = alice.get("/users", params=params)
            assert (found["next_cursor"] is None) == (page == pages - 1)
            seen += named(found)
            params["cursor"] = found["next_cursor"]
        assert seen == people


def test_erased_person_keeps_id_and_version_alone(alice: Person, bob: Person, world: World) -> None:
    room = alice.create_room(bob)["id"]
    bob.send(room, "before")
    change(
        world,
        "UPDATE accounts_user SET erased_at = %s, username = NULL, skeleton = NULL,"
        " display_name = NULL WHERE id = %s",
        in_seconds(0),
        uuid.UUID(bob.id),
    )
    erased = profile(bob.user) | {"username": None, "display_name": None}
    assert alice.get(f"/users/{bob.id}") == erased
    assert named(alice.get("/users", params={"ids": bob.id})) == [bob.id]
    assert named(alice.get("/users")) == [alice.id]
    assert named(alice.get("/users", params={"q": bob.name})) == []
    assert alice.get(f"/rooms/{room}/messages")["items"][0]["sender"] == sender(erased)
    problem = alice.refused(
        400, "invalid_request", "POST", "/rooms", json={**ROOM, "member_ids": [alice.id, bob.id]}
    )
    assert problem["errors"][0]["pointer"] == "/member_ids/1"
    bob.refused(401, "session_revoked", "GET", "/me")
    body = {"refresh": bob.tokens["refresh"]}
    bob.refused(401, "session_revoked", "POST", "/auth/refresh", json=body)


@pytest.mark.parametrize(
    "params",
    [
        *({"limit": limit} for limit in ("0", "201", "-1", "1.0", "", "\u0661", "9" * 5_000)),
        *({"cursor": cursor} for cursor in ("", "x", "AAAA", "A" * 22 + "==", "\u00e9", "A" * 44)),
        *({"ids": ids} for ids in ("", "x", "me", "%00", "00000000-0000-0000-0000-00000000000")),
        {"q": "x" * 201},
        {"q": "a\x00b"},
        {"q": ["a", "b"]},
        {"unknown": "1"},
    ],
)
def test_bad_parameter_is_refused(embedded: World, params: dict[str, str]) -> None:
    dora = Person.register(embedded.server.url, "dora")
    dora.refused(400, "invalid_request", "GET", "/users", params=params)
