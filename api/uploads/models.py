"""The table of uploads."""

import uuid_utils.compat as uuid_utils
from django.db import models


class Upload(models.Model):
    """A file that somebody has sent, used by one thing at most, for ever.

    ``used_by_kind`` and ``used_by_id`` say by what (``schemas.UsedBy``), ``room_id`` in which room.
    It counts from when it is ``stored``; once it is released, nobody sees it any more, and its
    files go with the next collection. No foreign keys: the log below has none either.
    """

    id = models.UUIDField(primary_key=True, default=uuid_utils.uuid7, editable=False)
    owner_id = models.UUIDField()
    name = models.CharField(max_length=200)
    content_type = models.CharField(max_length=100)
    size = models.BigIntegerField()
    width = models.PositiveIntegerField(null=True)
    height = models.PositiveIntegerField(null=True)
    thumbnail_size = models.PositiveIntegerField(null=True)
    stored = models.BooleanField(default=False)
    created_at = models.DateTimeField()
    used_by_kind = models.CharField(max_length=8, null=True)
    used_by_id = models.UUIDField(null=True)
    room_id = models.UUIDField(null=True)
    released_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [
            models.Index(fields=["used_by_id"], name="upload_used_by"),
            models.Index(fields=["room_id"], name="upload_in_room"),
            models.Index(
                fields=["created_at"],
                name="upload_unused",
                condition=models.Q(used_by_id__isnull=True),
            ),
            models.Index(
                fields=["released_at"],
                name="upload_released",
                condition=models.Q(released_at__isnull=False),
            ),
        ]
