"""The tables of the log: streams, their events, and which life of the database this is."""

import uuid

from django.db import models

from api.clock import now


class Stream(models.Model):
    """A numbered list of events: of a room, or of a person. Made when it is first needed."""

    id = models.UUIDField(primary_key=True)
    last_seq = models.BigIntegerField(default=0)
    closed_at = models.DateTimeField(null=True)


class Event(models.Model):
    """One durable change. Rows are written once and never changed.

    ``subject_kind`` and ``subject_id`` name what the event is about, when it has to be
    shown as it is now; ``data`` is what is shown as it was written. ``ends`` says what
    the event ends for delivery (``api/log/append.py``); clients never see it.
    """

    pk = models.CompositePrimaryKey("stream_id", "seq")
    stream_id = models.UUIDField()
    seq = models.BigIntegerField()
    type = models.CharField(max_length=40)
    at = models.DateTimeField()
    actor_id = models.UUIDField(null=True)
    subject_kind = models.CharField(max_length=20, default="")
    subject_id = models.UUIDField(null=True)
    data = models.JSONField(null=True)
    ends = models.JSONField(null=True)


class Epoch(models.Model):
    """Which life of the database this is: renewed when a backup has been restored."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4)
    created_at = models.DateTimeField(default=now)
