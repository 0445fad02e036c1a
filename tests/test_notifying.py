"""Who may notify whom over REST: bots and staff anybody, everybody else nobody."""

import uuid
from typing import Any

import pytest

from tests.clients import Person, at_once
from tests.servers import World, one_world
from tests.test_bots import Bot, operate


@pytest.fixture
def bot(world: World) -> Bot:
    """A bot."""
    return Bot.made(world)


async def test_a_bot_notifies_somebody_on_every_device(bot: Bot, bob: Person) -> None:
    async with bob.socket() as his:
        await his.opened()
        body = {"kind": "build", "text": "It is red.", "data": {"number": 7, "at": [1.5, None]}}
        told = bot.expect(201, "POST", f"/users/{bob.id}/notifications", json=body)
        event = await his.until("notification.created")
    assert told == {
        "id": told["id"],
        "seq": 1,
        **body,
        "room_id": None,
        "message_id": None,
        "created_at": told["created_at"],
        "read_at": None,
    }
    assert (event["data"], event["actor_id"]) == (told, bot.id)
    assert bob.get("/notifications") == {"items": [told], "next_cursor": None, "unread_count": 1}
    assert bob.get("/sync")["notifications"] == {"items": [told], "unread_count": 1}
    assert bob.events(bob.id)[-1]["data"] == told


def test_staff_may_and_whoever_is_staff_no_longer_may_not(
    world: World, alice: Person, bob: Person
) -> None:
    path, body = f"/users/{bob.id}/notifications", {"kind": "notice", "text": "hello"}
    alice.refused(403, "permission_denied", "POST", path, json=body)
    alice.refused(403, "permission_denied", "POST", f"/users/{uuid.uuid4()}/notifications", json={})
    assert operate(world, "set_staff", alice.name) == f"{alice.name} is staff."
    alice.expect(201, "POST", path, json=body)
    assert "is_staff" not in alice.get("/me")
    assert operate(world, "set_staff", alice.name, "--off") == f"{alice.name} is no longer staff."
    alice.refused(403, "permission_denied", "POST", path, json=body)
    assert bob.get("/notifications")["unread_count"] == 1


@one_world
def test_nobody_is_notified_who_is_not_there(bot: Bot, bob: Person) -> None:
    body = {"kind": "notice", "text": "hello"}
    path = f"/users/{bob.id}/notifications"
    Person(bot.url, {}).refused(401, "not_authenticated", "POST", path, json=body)
    bot.refused(404, "not_found", "POST", f"/users/{uuid.uuid4()}/notifications", json=body)
    bob.expect(204, "POST", "/me/delete", json={"password": "known to tests alone"})
    bot.refused(404, "not_found", "POST", path, json=body)


@one_world
@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({"text": "x"}, "/kind"),
        ({"kind": "x"}, "/text"),
        ({"kind": " ", "text": "x"}, "/kind"),
        ({"kind": "x" * 41, "text": "x"}, "/kind"),
        ({"kind": "x", "text": "\n"}, "/text"),
        ({"kind": "x", "text": "x" * 2_001}, "/text"),
        ({"kind": "x", "text": "x", "data": []}, "/data"),
        ({"kind": "x", "text": "x", "data": {"a": "x" * 4_096}}, "/data"),
        ({"kind": "x", "text": "x", "room_id": None}, "/room_id"),
    ],
)
def test_what_makes_no_notification_is_refused(
    bot: Bot, bob: Person, body: dict[str, Any], pointer: str
) -> None:
    path = f"/users/{bob.id}/notifications"
    problem = bot.refused(400, "invalid_request", "POST", path, json=body)
    assert [fault["pointer"] for fault in problem["errors"]] in ([pointer], [""])
    assert bob.get("/notifications")["items"] == []


def test_the_same_request_twice_notifies_once(bot: Bot, bob: Person) -> None:
    headers = {"Idempotency-Key": str(uuid.uuid4())}
    path, body = f"/users/{bob.id}/notifications", {"kind": "notice", "text": "hello"}

    def ask() -> Any:
        return bot.call("POST", path, json=body, headers=headers)

    answers = at_once(*[ask] * 5)
    assert {found.status_code for found in answers} <= {201, 409}
    told = [found.json() for found in answers if found.status_code == 201]
    assert bob.get("/notifications")["items"] == told[:1]
    other = body | {"text": "other"}
    bot.refused(409, "idempotency_conflict", "POST", path, json=other, headers=headers)


@one_world
def test_an_operator_sends_data_along(world: World, bob: Person) -> None:
    operate(world, "notify", bob.name, "hello", "--kind", "parcel", "--data", '{"parcel": [1]}')
    (item,) = bob.get("/notifications")["items"]
    assert (item["kind"], item["text"], item["data"]) == ("parcel", "hello", {"parcel": [1]})
    for data in ("[]", "{", '{"a": NaN}'):
        refused = world.manage("notify", bob.name, "hello", "--data", data)
        assert (refused.returncode, "Traceback" in refused.stderr) == (1, False)
    assert bob.get("/notifications")["unread_count"] == 1
