"""Who leaves and comes back: what held them up before holds them up still.

Naive form: it stands on the membership, ends with it, and is shed by two requests.
"""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from accounts.models import User
from api.clock import now
from api.rooms.former import forget_former
from api.rooms.models import Former, Room
from tests.clients import Person
from tests.servers import Server, World

BURST = 3


def come_back(person: Person, room: str) -> None:
    person.expect(204, "POST", f"/rooms/{room}/leave")
    person.expect(200, "POST", f"/rooms/{room}/join")


def test_slow_mode_goes_on(alice: Person, bob: Person) -> None:
    room = alice.create_room(kind="public")["id"]
    alice.expect(200, "PATCH", f"/rooms/{room}", json={"slow_mode_seconds": 3_600})
    bob.expect(200, "POST", f"/rooms/{room}/join")
    bob.send(room)
    come_back(bob, room)
    said = {"json": {"text": "again"}}
    problem = bob.refused(429, "slow_mode", "POST", f"/rooms/{room}/messages", **said)
    assert 3_500 < problem["retry_after"] <= 3_600


@pytest.fixture
def strict(world: World) -> Iterator[Server]:
    """A server where one may send three messages, and the next one after a long time."""
    with world.beside({"sends_per_second": 0.001, "sends_burst": BURST}) as server:
        yield server


def test_what_one_may_send_at_once_does_not_begin_anew(strict: Server) -> None:
    alice, bob = (Person.register(strict.url, name) for name in ("alice", "bob"))
    room = alice.create_room(kind="public")["id"]
    bob.expect(200, "POST", f"/rooms/{room}/join")
    for _ in range(BURST - 1):
        bob.send(room)
    come_back(bob, room)
    bob.send(room)
    said = {"json": {"text": "again"}}
    bob.refused(429, "rate_limited", "POST", f"/rooms/{room}/messages", **said)
    come_back(bob, room)
    bob.refused(429, "rate_limited", "POST", f"/rooms/{room}/messages", **said)


def test_a_reader_comes_back_as_one_until_others_decide(
    alice: Person, bob: Person, carol: Person
) -> None:
    room = alice.create_room(bob, kind="public")["id"]
    path = f"/rooms/{room}/members/{bob.id}"
    alice.expect(200, "PATCH", path, json={"role": "reader"})
    come_back(bob, room)
    assert bob.get(f"/rooms/{room}")["my_role"] == "reader"
    assert alice.events(room)[-1]["data"]["role"] == "reader"
    code = alice.expect(201, "POST", f"/rooms/{room}/invites", json={})["code"]
    bob.expect(204, "POST", f"/rooms/{room}/leave")
    assert bob.expect(200, "POST", f"/invites/{code}/accept")["my_role"] == "reader"
    alice.expect(204, "DELETE", path)
    alice.expect(201, "PUT", path, json={})
    assert bob.get(f"/rooms/{room}")["my_role"] == "member"
    come_back(bob, room)
    assert bob.get(f"/rooms/{room}")["my_role"] == "member"
    assert carol.expect(200, "POST", f"/rooms/{room}/join")["my_role"] == "member"


@pytest.mark.django_db(transaction=True)
def test_what_holds_nobody_up_any_more_is_forgotten() -> None:
    moment = now()
    room = Room.objects.create(kind="public", name="room")
    remembered: dict[str, dict[str, Any]] = {
        "long ago": {"last_sent_at": moment - timedelta(days=1, seconds=1)},
        "lately": {"last_sent_at": moment - timedelta(hours=23)},
        "reader": {"reader": True},
        "reader, long ago": {"reader": True, "last_sent_at": moment - timedelta(days=2)},
    }
    for name, kept in remembered.items():
        user = User.objects.create(username=name, display_name=name)
        Former.objects.create(room=room, user=user, **kept)
    forget_former(moment)
    left = {former.user.username for former in Former.objects.select_related("user")}
    assert left == {"lately", "reader", "reader, long ago"}
