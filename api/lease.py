"""Who may do what only one process does at a time, and until when nobody else may."""

import uuid
from datetime import timedelta

from django.db import models

from api.clock import now
from api.log.append import writing

LEASE_SECONDS = 15.0  # without a holder after the one there was has been killed
BELIEVED_SECONDS = 2 * LEASE_SECONDS  # one that lasts longer is of a clock that went ahead


class Lease(models.Model):
    """A work of which there is one, its holder, and the end of the holder's time."""

    name = models.CharField(max_length=40, primary_key=True)
    holder = models.UUIDField()
    until = models.DateTimeField()


def acquire(name: str, holder: uuid.UUID) -> bool:
    """Take or prolong a lease; tell whether it is this holder's."""
    moment = now()
    kept = {"holder": holder, "until": moment + timedelta(seconds=LEASE_SECONDS)}
    lease = Lease.objects.filter(name=name)
    held = models.Q(until__range=(moment, moment + timedelta(seconds=BELIEVED_SECONDS)))
    if lease.filter(held).exclude(holder=holder).exists():
        return False  # who only looks waits for no writer
    free = models.Q(holder=holder) | ~held
    with writing():
        taken = lease.filter(free).update(**kept)
        return bool(taken) or lease.get_or_create(kept, name=name)[1]


def release(name: str, holder: uuid.UUID) -> None:
    """Let another have it, if it is this holder's."""
    Lease.objects.filter(name=name, holder=holder).delete()
