"""The table of scheduled messages."""

import uuid_utils.compat as uuid_utils
from django.db import models

from accounts.models import User
from api.clock import now
from api.codec import StoredJson
from api.rooms.models import Room


class ScheduledMessage(models.Model):
    """Something to be said when its time comes; the row goes when it has been.

    ``attachments`` is as ``uploads.schemas.kept``. It is tried at ``due_at``: ``send_at``, or
    later when it has been refused for a while. ``begun``: it is being said, and cannot be
    cancelled. ``failure`` is the code of the error that kept it from being said.
    """

    id = models.UUIDField(primary_key=True, default=uuid_utils.uuid7, editable=False)
    sender = models.ForeignKey(User, models.CASCADE, related_name="+")
    room = models.ForeignKey(Room, models.CASCADE, related_name="+")
    text = models.TextField()
    metadata = models.JSONField(null=True, decoder=StoredJson)
    reply_to_id = models.UUIDField(null=True)
    thread_id = models.UUIDField(null=True)
    attachments = models.JSONField(null=True)
    send_at = models.DateTimeField()
    due_at = models.DateTimeField()
    created_at = models.DateTimeField(default=now)
    begun = models.BooleanField(default=False)
    failure = models.CharField(max_length=40, null=True)

    class Meta:
        indexes = [
            models.Index(
                fields=["due_at"],
                name="scheduled_due",
                condition=models.Q(failure__isnull=True),
            )
        ]
