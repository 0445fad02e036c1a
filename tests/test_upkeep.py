"""Timed work: done by one of all processes, handed over when it ends, and by a command.

Naive forms that would fail: every process does everything; the one that was first does it
for ever; the first job that fails ends the loop.
"""

import sqlite3
import uuid
from contextlib import closing
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from django.db import OperationalError

from accounts import forgetting
from accounts.models import Session, UsedSocketToken, User
from api import idempotency, upkeep
from api.apart import each_apart
from api.clock import now
from api.idempotency import IdempotencyKey
from api.lease import Lease, acquire
from api.upkeep import Job, Upkeep, run_all
from tests.clients import at_once, until
from tests.servers import World

WAIT_SECONDS = 90  # the deadline of a wait: longer than a lease


def test_a_job_that_fails_keeps_no_other_from_being_done() -> None:
    done: list[datetime] = []

    def fails(_: datetime) -> None:
        raise ZeroDivisionError

    assert run_all([Job(fails, 1), Job(done.append, 1)]) == ["fails"]
    assert len(done) == 1


def test_a_database_that_is_away_is_told_in_a_line(caplog: pytest.LogCaptureFixture) -> None:
    def finds_nobody(_: datetime) -> None:
        raise OperationalError("the connection is closed")

    assert run_all([Job(finds_nobody, 0)]) == ["finds_nobody"]
    (record,) = caplog.records
    assert record.getMessage() == "upkeep failed: finds_nobody: OperationalError"
    assert (record.levelname, record.exc_info) == ("WARNING", None)


def test_one_of_many_that_fails_keeps_no_other_waiting_but_a_database_that_is_away_does() -> None:
    done: list[int] = []

    def act(number: int) -> None:
        if number == 0:
            raise ZeroDivisionError
        if number > 2:
            raise OperationalError
        done.append(number)

    with pytest.raises(ExceptionGroup) as failed:
        each_apart([0, 1, 0, 2], act)
    assert [type(error) for error in failed.value.exceptions] == [ZeroDivisionError] * 2
    assert done == [1, 2]
    with pytest.raises(OperationalError):
        each_apart([0, 3, 1], act)
    assert done == [1, 2]


@pytest.mark.django_db(transaction=True)
def test_of_many_at_once_one_gets_the_lease_and_keeps_it() -> None:
    holders = [uuid.uuid4() for _ in range(8)]
    first = at_once(*[lambda holder=holder: acquire("work", holder) for holder in holders])
    assert first.count(True) == 1
    assert [acquire("work", holder) for holder in holders] == first
    Lease.objects.update(until=now() - timedelta(seconds=1))  # the holder has died
    assert [acquire("work", holder) for holder in holders] == [True] + [False] * 7


@pytest.mark.django_db(transaction=True)
def test_a_lease_of_a_clock_that_went_ahead_is_not_believed() -> None:
    dead, living, late = (uuid.uuid4() for _ in range(3))
    assert acquire("work", dead)
    Lease.objects.update(until=now() + timedelta(seconds=20))  # clocks differ a little
    assert not acquire("work", living)
    Lease.objects.update(until=now() + timedelta(hours=1))
    assert acquire("work", living)
    assert not acquire("work", late)


@pytest.mark.django_db(transaction=True)
def test_what_means_nothing_any_more_is_forgotten_and_nothing_else() -> None:
    moment = now()
    user = User.objects.create(username="upkeep")
    key = {"user_id": user.id, "method": "POST", "path": "/", "body_hash": b""}
    for name, age in (("old", 25), ("young", 23)):
        made = moment - timedelta(hours=age)
        IdempotencyKey.objects.create(**key, key=name, status=201, created_at=made)
    for name, days in (("long ago", 31), ("lately", 29)):
        ended = moment - timedelta(days=days)
        later = moment + timedelta(days=1)
        Session.objects.create(user=user, device=name, revoked_at=ended, expires_at=later)
        Session.objects.create(user=user, device=f"{name}, by itself", expires_at=ended)
    Session.objects.create(user=user, device="living", expires_at=moment)
    for seconds in (61, 59):
        over = moment - timedelta(seconds=seconds)
        UsedSocketToken.objects.create(jti=uuid.UUID(int=seconds), expires_at=over)
    for job in upkeep.JOBS:
        job.run(moment)
    assert {key.key for key in IdempotencyKey.objects.all()} == {"young"}
    devices = {"lately", "lately, by itself", "living"}
    assert {session.device for session in Session.objects.all()} == devices
    assert [token.jti.int for token in UsedSocketToken.objects.all()] == [59]


@pytest.mark.django_db(transaction=True)
def test_the_loop_does_what_is_due_again_and_again_and_outlives_a_failure() -> None:
    done: list[datetime] = []

    def fails_at_first(moment: datetime) -> None:
        done.append(moment)
        if len(done) == 1:
            raise ZeroDivisionError

    loop = Upkeep([Job(fails_at_first, 0)])
    loop.start()
    loop.start()
    until(lambda: len(done) > 1, WAIT_SECONDS)
    assert Lease.objects.count() == 1
    loop.end()
    assert not Lease.objects.exists()


def test_a_server_does_it_by_itself_and_another_goes_on_when_it_ends(tmp_path: Path) -> None:
    world = World(tmp_path, servers=0)

    def ask(statement: str, *given: object) -> list[tuple[object, ...]]:
        with closing(sqlite3.connect(tmp_path / "gapless.sqlite3", timeout=20)) as database:
            found = database.execute(statement, given).fetchall()
            database.commit()
        return found

    try:
        plant = "INSERT INTO accounts_usedsockettoken (jti, expires_at) VALUES (?, ?)"
        ask(plant, uuid.uuid4().hex, "2020-01-01 00:00:00")
        first = world.start()
        until(lambda: not ask("SELECT * FROM accounts_usedsockettoken"), WAIT_SECONDS)
        ((holder,),) = ask("SELECT holder FROM api_lease")
        world.start()
        assert first.stop() == 0
        until(lambda: set(ask("SELECT holder FROM api_lease")) - {(holder,)}, WAIT_SECONDS)
    finally:
        world.stop()


@pytest.mark.django_db(transaction=True)
def test_the_command_does_all_of_it(embedded: World) -> None:
    done = embedded.manage("upkeep")
    assert (done.returncode, done.stdout) == (0, f"{len(upkeep.JOBS)} jobs done.\n")
    assert {job.run for job in upkeep.JOBS} >= {
        forgetting.forget_ended_sessions,
        forgetting.forget_used_socket_tokens,
        idempotency.forget_old_keys,
    }
