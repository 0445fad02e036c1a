"""Scheduled messages: said once, when their time has come, by whichever process has the lease.

Naive forms that would fail: a timer in the process that took the request; sending, and dying
before the row is gone; sending what was cancelled; retrying for ever what is refused.
"""

import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.clients import Person, at_once, until
from tests.record import change, in_seconds
from tests.servers import World, one_world

WAIT_SECONDS = 90  # the deadline of a wait


def later(seconds: float = 3600.0) -> str:
    """Return a time."""
    return (datetime.now(UTC) + timedelta(seconds=seconds)).isoformat()


def schedule(person: Person, room: str, text: str = "later", **more: Any) -> Any:
    """Schedule a message."""
    body = {"text": text, "send_at": later()} | more
    return person.expect(201, "POST", f"/rooms/{room}/scheduled", json=body)


def waiting(person: Person, room: str) -> list[Any]:
    """Return what somebody wants to say."""
    items: list[Any] = person.get(f"/rooms/{room}/scheduled")["items"]
    return items


def fall_due(world: World, scheduled: Any, seconds: float = -1.0) -> None:
    """Have the time of something come."""
    statement = "UPDATE api_scheduledmessage SET send_at = %s, due_at = %s WHERE id = %s"
    change(world, statement, *[in_seconds(seconds)] * 2, uuid.UUID(scheduled["id"]))


def states(person: Person) -> list[str]:
    """Return what somebody has been told about what they want to say."""
    told = [event for event in person.events(person.id) if event["type"] == "scheduled.updated"]
    return [event["data"]["state"] for event in told]


def uuid_of(person: Person) -> uuid.UUID:
    """Return somebody's id, as the record has it."""
    return uuid.UUID(person.id)


def test_it_is_said_when_its_time_has_come(alice: Person, bob: Person) -> None:
    room = alice.create_room(bob)["id"]
    head = len(alice.events(alice.id))
    reply = bob.send(room)["id"]
    made = schedule(alice, room, "now", send_at=later(4), metadata={"a": 1}, reply_to_id=reply)
    assert made == {
        "id": made["id"],
        "room_id": room,
        "text": "now",
        "metadata": {"a": 1},
        "reply_to_id": reply,
        "thread_id": None,
        "attachments": [],
        "send_at": made["send_at"],
        "created_at": made["created_at"],
        "failure": None,
    }
    assert waiting(alice, room) == [made] == [alice.get(f"/rooms/{room}/scheduled/{made['id']}")]
    assert waiting(bob, room) == []
    until(lambda: not waiting(alice, room), WAIT_SECONDS)
    _, said = bob.get(f"/rooms/{room}/messages")["items"]
    assert (said["text"], said["metadata"], said["reply_to_id"]) == ("now", {"a": 1}, reply)
    assert said["sender"]["id"] == alice.id
    assert said["created_at"] >= made["send_at"]
    (told,) = alice.events(alice.id, head)
    assert (told["type"], told["seq"]) == ("scheduled.updated", head + 2)
    assert told["data"] == {
        "id": made["id"],
        "room_id": room,
        "state": "sent",
        "message_id": said["id"],
        "scheduled": None,
    }


def test_what_is_cancelled_is_never_said(alice: Person, bob: Person, world: World) -> None:
    room = alice.create_room(bob)["id"]
    made = schedule(alice, room)
    head = len(alice.events(alice.id))
    path = f"/rooms/{room}/scheduled/{made['id']}"
    bob.refused(404, "not_found", "DELETE", path)
    alice.expect(204, "DELETE", path)
    alice.refused(404, "not_found", "DELETE", path)
    (told,) = alice.events(alice.id, head - 1)
    assert (told["data"]["state"], told["data"]["scheduled"]) == ("cancelled", None)
    assert world.manage("upkeep").returncode == 0
    assert alice.get(f"/rooms/{room}/messages")["items"] == []


def test_what_it_said_is_not_told_again_once_it_is_gone(alice: Person) -> None:
    """Naive form: the event keeps the text, which is told to whoever reads event by event."""
    room = alice.create_room()["id"]
    head = alice.get("/me/events")["head"]
    gone, kept = schedule(alice, room, "secret")["id"], schedule(alice, room, "kept")
    alice.expect(204, "DELETE", f"/rooms/{room}/scheduled/{gone}")
    told = []
    for number in range(head, head + 3):
        told += alice.get(f"/me/events?after={number}&limit=1")["items"]
    assert "secret" not in str(told)
    assert [(event["seq"], event["data"]["scheduled"]) for event in told] == [
        (head + 2, kept),
        (head + 3, None),
    ]


def test_taken_up_again_and_at_once_it_is_said_once(alice: Person, world: World) -> None:
    room = alice.create_room()["id"]
    made = schedule(alice, room)
    # As after a crash: said, and the row is still there.
    alice.send(room, "later", client_msg_id=f"scheduled-{made['id']}")
    fall_due(world, made)
    at_once(*[lambda: world.manage("upkeep")] * 2)
    until(lambda: not waiting(alice, room), WAIT_SECONDS)
    assert len(alice.get(f"/rooms/{room}/messages")["items"]) == 1
    states = [e["data"]["state"] for e in alice.events(alice.id) if "scheduled" in e["type"]]
    assert states == ["sent"]


def test_what_is_refused_then_is_kept_with_the_reason(
    alice: Person, bob: Person, world: World
) -> None:
    room = alice.create_room(bob)["id"]
    made = schedule(bob, room)
    alice.expect(200, "PATCH", f"/rooms/{room}", json={"archived": True})
    fall_due(world, made)
    (failed,) = until(
        lambda: [item for item in waiting(bob, room) if item["failure"]], WAIT_SECONDS
    )
    assert failed == made | {"failure": "room_archived", "send_at": failed["send_at"]}
    (told,) = [e for e in bob.events(bob.id) if e["type"] == "scheduled.updated"]
    assert (told["data"]["state"], told["data"]["scheduled"]) == ("failed", failed)
    bob.expect(204, "DELETE", f"/rooms/{room}/scheduled/{made['id']}")
    assert waiting(bob, room) == []


def test_what_may_succeed_later_is_tried_again(alice: Person, bob: Person, world: World) -> None:
    room = alice.create_room(bob)["id"]
    alice.expect(200, "PATCH", f"/rooms/{room}", json={"slow_mode_seconds": 3})
    bob.send(room, "first")
    fall_due(world, schedule(bob, room, "second"))
    until(lambda: not waiting(bob, room), WAIT_SECONDS)
    texts = [message["text"] for message in alice.get(f"/rooms/{room}/messages")["items"]]
    assert texts == ["first", "second"]


def test_many_that_wait_for_their_turn_keep_nobody_elses_waiting(
    alice: Person, bob: Person, carol: Person, world: World
) -> None:
    slow, room = alice.create_room(bob)["id"], alice.create_room(carol)["id"]
    alice.expect(200, "PATCH", f"/rooms/{slow}", json={"slow_mode_seconds": 3600})
    bob.send(slow)
    for made in [schedule(bob, slow) for _ in range(100)]:
        fall_due(world, made, -2)
    fall_due(world, schedule(carol, room))
    until(lambda: not waiting(carol, room), WAIT_SECONDS)
    assert "sent" not in states(bob)


def test_what_cannot_even_be_refused_keeps_no_other_from_being_said(
    alice: Person, bob: Person, carol: Person, world: World
) -> None:
    room = alice.create_room(bob, carol)["id"]
    first, second = schedule(bob, room), schedule(carol, room)
    alice.expect(204, "DELETE", f"/rooms/{room}/members/{bob.id}")
    change(world, "UPDATE api_stream SET closed_at = %s WHERE id = %s", in_seconds(0), uuid_of(bob))
    fall_due(world, first, -2)
    fall_due(world, second)
    until(lambda: not waiting(carol, room), WAIT_SECONDS)


def test_what_one_cannot_see_any_more_counts_for_nothing_and_goes(
    alice: Person, bob: Person, world: World
) -> None:
    left, room = alice.create_room(bob)["id"], alice.create_room(bob)["id"]
    made = [schedule(bob, left) for _ in range(100)]
    body = {"text": "later", "send_at": later()}
    bob.refused(409, "limit_reached", "POST", f"/rooms/{room}/scheduled", json=body)
    alice.expect(204, "DELETE", f"/rooms/{left}/members/{bob.id}")
    schedule(bob, room)
    for due in made:
        fall_due(world, due)
    failed = until(lambda: states(bob).count("failed") == 100, WAIT_SECONDS)
    assert failed
    alice.expect(201, "PUT", f"/rooms/{left}/members/{bob.id}")
    assert waiting(bob, left) == []


def test_who_is_kept_out_says_nothing(alice: Person, bob: Person, world: World) -> None:
    room = alice.create_room(bob)["id"]
    made = schedule(bob, room)
    assert world.manage("disable_user", bob.name).returncode == 0
    fall_due(world, made)
    assert world.manage("upkeep").returncode == 0
    assert world.manage("enable_user", bob.name).returncode == 0
    again = bob.login()
    (failed,) = until(
        lambda: [item for item in waiting(again, room) if item["failure"]], WAIT_SECONDS
    )
    assert failed["failure"] == "permission_denied"
    assert alice.get(f"/rooms/{room}/messages")["items"] == []


@one_world
@pytest.mark.parametrize(
    ("change_of", "pointer"),
    [
        ({"send_at": "2020-01-01T00:00:00Z"}, "/send_at"),
        ({"send_at": "2990-01-01T00:00:00Z"}, "/send_at"),
        ({"send_at": "0001-01-01T00:00:00+23:00"}, "/send_at"),
        ({"send_at": "2020-01-01"}, "/send_at"),
        ({"text": " "}, "/text"),
        ({"metadata": {"a": "x" * 5000}}, "/metadata"),
        ({"client_msg_id": "a"}, "/client_msg_id"),
        ({"thread_id": str(uuid.uuid4())}, "/thread_id"),
        ({"reply_to_id": str(uuid.uuid4())}, "/reply_to_id"),
    ],
)
def test_nonsense_is_refused(alice: Person, change_of: dict[str, Any], pointer: str) -> None:
    room = alice.create_room()["id"]
    body = {"text": "later", "send_at": later()} | change_of
    path = f"/rooms/{room}/scheduled"
    problem = alice.refused(400, "invalid_request", "POST", path, json=body)
    assert problem["errors"][0]["pointer"] == pointer
    assert waiting(alice, room) == []


@one_world
def test_a_hundred_wait_at_most_and_are_paged(alice: Person) -> None:
    room = alice.create_room()["id"]
    made = [schedule(alice, room)["id"] for _ in range(100)]
    body = {"text": "later", "send_at": later()}
    alice.refused(409, "limit_reached", "POST", f"/rooms/{room}/scheduled", json=body)
    page = alice.get(f"/rooms/{room}/scheduled", params={"limit": 60})
    after = {"limit": 60, "cursor": page["next_cursor"]}
    rest = alice.get(f"/rooms/{room}/scheduled", params=after)
    assert [item["id"] for item in page["items"] + rest["items"]] == made
    assert rest["next_cursor"] is None
