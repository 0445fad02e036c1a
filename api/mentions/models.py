"""The table that mentions are counted by."""

from django.db import models

from accounts.models import User
from api.rooms.models import Room


class Mention(models.Model):
    """Somebody whom a living message names; ``user`` is null where it names the room.

    ``seq`` and ``sender`` are those of the message. Who is named twice is in here once.
    """

    room = models.ForeignKey(Room, models.CASCADE, db_index=False)
    seq = models.BigIntegerField()
    user = models.ForeignKey(
        User, models.CASCADE, null=True, related_name="mentions", db_index=False
    )
    sender = models.ForeignKey(User, models.CASCADE, related_name="+", db_index=False)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["room", "seq", "user"], name="mention_once")]
        indexes = [
            models.Index(
                fields=["room", "user", "seq", "sender"],
                name="mention_unread",  # covers the counting of unread mentions
            )
        ]
