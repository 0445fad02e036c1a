"""The table of notifications."""

import uuid_utils.compat as uuid_utils
from django.db import models

from accounts.models import User
from api.clock import now
from api.codec import StoredJson


class Notification(models.Model):
    """Something one person is told; ``seq`` is its number in that person's stream.

    ``message_seq`` is the number of the message that it is about, in the stream of its room.
    What comes of a message has no text of its own: who sent it, the ``actor``, is shown by the
    name they have now.
    """

    id = models.UUIDField(primary_key=True, default=uuid_utils.uuid7, editable=False)
    user = models.ForeignKey(User, models.CASCADE, related_name="notifications")
    seq = models.BigIntegerField()
    kind = models.CharField(max_length=40)
    text = models.TextField()
    data = models.JSONField(null=True, decoder=StoredJson)
    room_id = models.UUIDField(null=True)
    message_id = models.UUIDField(null=True)
    message_seq = models.BigIntegerField(null=True)
    actor = models.ForeignKey(User, models.SET_NULL, null=True, related_name="+", db_index=False)
    created_at = models.DateTimeField(default=now)
    read_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["user", "seq"], name="notification_place")]
        indexes = [
            models.Index(
                fields=["user", "room_id", "message_seq"],
                name="notification_unread",
                condition=models.Q(read_at__isnull=True),
            )
        ]
