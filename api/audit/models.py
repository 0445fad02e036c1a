"""The table of the audit."""

import uuid_utils.compat as uuid_utils
from django.db import models

from api.codec import StoredJson


class AuditEntry(models.Model):
    """Something that somebody did to others, or to the room; nobody: its time had come.

    ``seq`` is the number of its event, or for what has none the head of the room at that time.
    """

    id = models.UUIDField(primary_key=True, default=uuid_utils.uuid7, editable=False)
    room_id = models.UUIDField()
    seq = models.BigIntegerField()
    at = models.DateTimeField()
    action = models.CharField(max_length=40)
    actor_id = models.UUIDField(null=True)
    user_id = models.UUIDField(null=True)
    message_id = models.UUIDField(null=True)
    reason = models.TextField(null=True)
    details = models.JSONField(null=True, decoder=StoredJson)

    class Meta:
        indexes = [models.Index(fields=["room_id", "-seq", "-id"], name="audit_newest_first")]
