"""Notifications: one person is told something, on every device, at once or whenever they come."""

import asyncio
import uuid
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import transaction

from accounts.models import User
from api.errors import InvalidRequest, NotFound
from api.inbox.actions import notify
from api.inbox.models import Notification
from api.log.models import Stream
from tests.clients import Person
from tests.servers import World, one_world

SEED = """
from uuid import UUID
from api.inbox.actions import notify
for number in range(5):
    notify(user_id=UUID("{id}"), text=str(number), kind="seed", data={{"number": number}})
"""


@pytest.fixture
def told(world: World, bob: Person) -> list[dict[str, Any]]:
    """Five notifications for bob, the newest first; told by other Django code."""
    seeded = world.manage("shell", "--verbosity", "0", "--command", SEED.format(id=bob.id))
    assert seeded.returncode == 0, seeded.stderr
    items: list[dict[str, Any]] = bob.get("/notifications")["items"]
    return items


async def test_an_operator_reaches_every_open_device(world: World, bob: Person) -> None:
    phone = bob.login("phone").at(world.server.url)
    async with bob.socket() as one, phone.socket() as two:
        await one.opened()
        await two.opened()
        command = ("notify", bob.name.upper(), "Your parcel is here. 📦", "--kind", "parcel")
        said = await asyncio.to_thread(world.manage, *command)
        assert (said.returncode, said.stdout) == (0, f"{bob.name} has it as number 1.\n")
        (item,) = bob.get("/notifications")["items"]
        for socket in (one, two):
            assert await socket.until("notification.created") == {
                "type": "notification.created",
                "stream": bob.id,
                "seq": 1,
                "at": item["created_at"],
                "actor_id": None,
                "data": item,
            }
    assert item == {
        "id": item["id"],
        "seq": 1,
        "kind": "parcel",
        "text": "Your parcel is here. 📦",
        "data": None,
        "room_id": None,
        "message_id": None,
        "created_at": item["created_at"],
        "read_at": None,
    }


def test_a_notification_waits_for_who_is_not_there(
    bob: Person, carol: Person, told: list[dict[str, Any]]
) -> None:
    assert [item["text"] for item in told] == ["4", "3", "2", "1", "0"]
    assert [item["data"] for item in told] == [{"number": n} for n in (4, 3, 2, 1, 0)]
    whole = {"items": told, "unread_count": 5}
    assert bob.get("/notifications") == whole | {"next_cursor": None}
    assert bob.get("/sync")["notifications"] == whole
    assert [event["data"] for event in bob.events(bob.id)] == told[::-1]
    assert carol.get("/notifications")["items"] == []


@one_world
def test_the_list_is_paged(bob: Person, carol: Person, told: list[dict[str, Any]]) -> None:
    page = bob.get("/notifications?limit=2")
    cursor, found = page["next_cursor"], page["items"]
    while page["next_cursor"]:
        page = bob.get(f"/notifications?limit=2&cursor={page['next_cursor']}")
        assert page["unread_count"] == 5
        found += page["items"]
    assert found == told
    carol.refused(400, "invalid_request", "GET", f"/notifications?cursor={cursor}")
    for query in ("cursor=x", f"cursor={'A' * 22}", "limit=0", "limit=201", "after=1"):
        bob.refused(400, "invalid_request", "GET", f"/notifications?{query}")


async def test_what_is_read_on_one_device_is_read_on_all(
    bob: Person, told: list[dict[str, Any]]
) -> None:
    ids = [item["id"] for item in told]
    async with bob.login("phone").socket() as phone:
        await phone.opened()
        for body, read, left in (
            ({"ids": [ids[0], ids[3]]}, [ids[3], ids[0]], 3),
            ({"ids": [ids[0], ids[1]]}, [ids[1]], 2),
            ({"up_to": told[3]["seq"]}, [ids[4]], 1),
        ):
            answer = bob.expect(200, "POST", "/notifications/read", json=body)
            assert answer == {"ids": read, "unread_count": left}
            event = await phone.until("notification.read")
            assert (event["data"], event["actor_id"]) == (answer, bob.id)
    shown = bob.get("/notifications")
    assert shown["unread_count"] == 1
    assert [item["id"] for item in shown["items"] if item["read_at"] is None] == [ids[2]]
    replayed = bob.events(bob.id)
    assert [event["data"] for event in replayed[:5]] == shown["items"][::-1]
    assert [event["type"] for event in replayed[5:]] == ["notification.read"] * 3


@one_world
def test_reading_what_is_read_or_not_ones_own_changes_nothing(
    bob: Person, carol: Person, told: list[dict[str, Any]]
) -> None:
    ids = [item["id"] for item in told]
    nothing = {"ids": [], "unread_count": 0}
    answer = carol.expect(200, "POST", "/notifications/read", json={"ids": ids})
    assert answer == nothing
    assert bob.get("/notifications")["items"] == told
    bob.expect(200, "POST", "/notifications/read", json={"up_to": 99})
    assert bob.expect(200, "POST", "/notifications/read", json={"up_to": 99}) == nothing
    assert bob.expect(200, "POST", "/notifications/read", json={"ids": ids}) == nothing
    assert bob.get("/me/events")["head"] == 6
    bad: list[dict[str, Any]] = [{}, {"ids": ids, "up_to": 1}, {"ids": []}, {"up_to": -1}]
    for body in [*bad, {"ids": ids[:1] * 101}]:
        bob.refused(400, "invalid_request", "POST", "/notifications/read", json=body)


@one_world
def test_an_unknown_name_is_a_clear_error(world: World) -> None:
    said = world.manage("notify", "nobody.here", "hello")
    assert (said.returncode, said.stdout) == (1, "")
    assert said.stderr == "CommandError: There is nobody called nobody.here.\n"


@pytest.fixture
def somebody(transactional_db: None) -> User:
    """A person in this process's own database."""
    return User.objects.create(username="bob", skeleton="bob")


@pytest.mark.parametrize(
    ("more", "pointer"),
    [
        ({"text": ""}, "/text"),
        ({"text": " \n"}, "/text"),
        ({"text": "x" * 2001}, "/text"),
        ({"text": "a\x00b"}, "/text"),
        ({"kind": ""}, "/kind"),
        ({"kind": "k" * 41}, "/kind"),
        ({"data": {"big": "x" * 4096}}, "/data"),
    ],
)
def test_a_notification_that_makes_no_sense_is_refused(
    somebody: User, more: dict[str, Any], pointer: str
) -> None:
    given: dict[str, Any] = {"text": "hello"} | more
    with pytest.raises(InvalidRequest) as refused:
        notify(user_id=somebody.id, **given)
    assert [fault.pointer for fault in refused.value.errors] == [pointer]
    assert not Notification.objects.exists()
    if "data" not in more and "\x00" not in given["text"]:
        arguments = ["notify", "bob", given["text"], "--kind", given.get("kind", "x")]
        with pytest.raises(CommandError, match="characters"):
            call_command(*arguments)


def test_nobody_can_be_told_nothing_and_not_in_the_middle_of_something(somebody: User) -> None:
    with pytest.raises(NotFound):
        notify(user_id=uuid.uuid4(), text="hello")
    with pytest.raises(RuntimeError), transaction.atomic():
        notify(user_id=somebody.id, text="hello")
    assert not Notification.objects.exists()
    assert not Stream.objects.exists()
    told = notify(user_id=somebody.id, text="x" * 2000, kind="k" * 40, data={"a": None})
    assert (told.seq, Stream.objects.get(pk=somebody.id).last_seq) == (1, 1)
