"""The table of messages."""

import uuid_utils.compat as uuid_utils
from django.db import models

from accounts.models import User
from api.codec import StoredJson
from api.rooms.models import Room


class Message(models.Model):
    """Something said. A tombstone keeps its place: text is null, ``deleted_at`` is set.

    ``seq`` is the number of its ``message.created``, ``changed_seq`` of the last event
    about it. ``content_hash`` is of what was first sent, to know a repeated send by.
    """

    id = models.UUIDField(primary_key=True, default=uuid_utils.uuid7, editable=False)
    room = models.ForeignKey(Room, models.CASCADE)
    seq = models.BigIntegerField()
    changed_seq = models.BigIntegerField()
    sender = models.ForeignKey(User, models.PROTECT)
    text = models.TextField(null=True)
    metadata = models.JSONField(null=True, decoder=StoredJson)
    client_msg_id = models.CharField(max_length=64, null=True)
    content_hash = models.BinaryField(max_length=32)
    reply_to_id = models.UUIDField(null=True)
    thread_id = models.UUIDField(null=True)
    created_at = models.DateTimeField()
    edited_at = models.DateTimeField(null=True)
    deleted_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["room", "seq"], name="message_place"),
            models.UniqueConstraint(
                fields=["room", "sender", "client_msg_id"],
                name="message_sent_once",
                condition=models.Q(client_msg_id__isnull=False),
            ),
        ]
        indexes = [
            models.Index(
                fields=["room", "seq", "sender", "deleted_at", "thread_id"],
                name="message_unread",  # covers the counting of unread messages
            )
        ]
