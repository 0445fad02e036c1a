"""The table of reports."""

import uuid_utils.compat as uuid_utils
from django.db import models

from accounts.models import User
from api.clock import now
from api.messages.models import Message
from api.rooms.models import Room


class Report(models.Model):
    """Somebody thinks that moderators should look at a message; open until one has."""

    id = models.UUIDField(primary_key=True, default=uuid_utils.uuid7, editable=False)
    room = models.ForeignKey(Room, models.CASCADE, related_name="+")
    message = models.ForeignKey(Message, models.CASCADE, related_name="+")
    reporter = models.ForeignKey(User, models.CASCADE, related_name="+")
    reason = models.CharField(max_length=500)
    created_at = models.DateTimeField(default=now)
    resolved_at = models.DateTimeField(null=True)
    resolver_id = models.UUIDField(null=True)
    action = models.CharField(max_length=10, null=True)
    note = models.CharField(max_length=500, null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["message", "reporter"], name="report_once"),
        ]
        indexes = [models.Index(fields=["room", "resolved_at", "-id"], name="report_queue")]
