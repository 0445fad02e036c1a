"""Timed work: what is due is done by one process at a time, which holds the lease.

Two may hold it for a moment, when their clocks differ or one of them was asleep: every job is
right when it runs twice at once, as each of its writes is a transaction of its own that looks
again, under its locks, whether there is something to do.
"""

import logging
import threading
import time
import uuid
from collections.abc import Callable, Sequence
from datetime import datetime
from functools import cache
from typing import NamedTuple

from django.db import InterfaceError, OperationalError, close_old_connections

from accounts import forgetting
from api import idempotency
from api.clock import now
from api.invitations.invites import forget_ended_invites
from api.lease import LEASE_SECONDS, acquire, release
from api.limits import HOUR, MINUTE
from api.moderation import lapses
from api.people.erasure import finish_erasures
from api.rooms.former import forget_former
from api.scheduled.actions import send_due
from api.uploads import collecting

LEASE = "upkeep"
TICK_SECONDS = 1.0  # how late what is due may be
RENEWED_SECONDS = 5.0  # three times within a lease
END_SECONDS = 5.0  # for a job under way when the process ends

log = logging.getLogger(__name__)


class Job(NamedTuple):
    """Something to do every so many seconds; ``run`` gets the time."""

    run: Callable[[datetime], None]
    every: float

    @property
    def name(self) -> str:
        """What the job does."""
        return self.run.__name__


JOBS = (
    Job(lapses.lapse_bans, TICK_SECONDS),
    Job(lapses.lapse_mutes, TICK_SECONDS),
    Job(send_due, TICK_SECONDS),
    Job(finish_erasures, MINUTE),
    Job(idempotency.forget_old_keys, HOUR),
    Job(forgetting.forget_used_socket_tokens, HOUR),
    Job(forgetting.forget_ended_sessions, HOUR),
    Job(forget_ended_invites, HOUR),
    Job(forget_former, HOUR),
    Job(collecting.collect_unused, HOUR),
)


def run_all(jobs: Sequence[Job] = JOBS) -> list[str]:
    """Do everything now; return the names of the jobs that failed, which are in the log."""
    return [job.name for job in jobs if not _run(job)]


class Upkeep:
    """The loop of one process, on a thread of its own."""

    def __init__(self, jobs: Sequence[Job] = JOBS) -> None:
        self._due = dict.fromkeys(jobs, 0.0)  # by the monotonic clock
        self._holder = uuid.uuid4()
        self._held_until = 0.0
        self._renewal = 0.0
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._loop, name="upkeep", daemon=True)

    def start(self) -> None:
        """Begin; again means nothing."""
        if self._thread.ident is None:
            self._thread.start()

    def end(self) -> None:
        """Stop after the job under way, and let another process go on."""
        self._ended.set()
        if self._thread.ident is not None:
            self._thread.join(END_SECONDS)

    def _loop(self) -> None:
        while not self._ended.wait(TICK_SECONDS):
            try:
                self._work()
            except Exception as error:  # noqa: BLE001  a database that is away comes back
                log.warning("no upkeep: %s", type(error).__name__)
            finally:
                close_old_connections()
        if self._held_until:
            release(LEASE, self._holder)
        close_old_connections()

    def _work(self) -> None:
        moment = time.monotonic()
        if moment >= self._renewal:
            self._renewal = moment + RENEWED_SECONDS
            self._held_until = moment + LEASE_SECONDS if acquire(LEASE, self._holder) else 0.0
        for job, due in self._due.items():
            if due <= moment < self._held_until and not self._ended.is_set():
                self._due[job] = moment + job.every
                _run(job)


@cache
def current() -> Upkeep:
    """Return the loop of this process."""
    return Upkeep()


def _run(job: Job) -> bool:
    try:
        job.run(now())
    except (OperationalError, InterfaceError) as error:  # the database is away, and comes back
        log.warning("upkeep failed: %s: %s", job.name, type(error).__name__)
        return False
    except Exception:  # one job that fails keeps no other from being done
        log.exception("upkeep failed: %s", job.name)
        return False
    return True
