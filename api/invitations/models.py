"""The table of invitations."""

import uuid_utils.compat as uuid_utils
from django.db import models

from accounts.models import User
from api.clock import now
from api.rooms.models import Room


class Invite(models.Model):
    """A code that lets people into a room; with ``invited`` one person alone."""

    id = models.UUIDField(primary_key=True, default=uuid_utils.uuid7, editable=False)
    code = models.CharField(max_length=32, unique=True)
    room = models.ForeignKey(Room, models.CASCADE)
    creator = models.ForeignKey(User, models.CASCADE, related_name="+")
    invited = models.ForeignKey(User, models.CASCADE, null=True, related_name="+")
    uses = models.PositiveIntegerField(default=0)
    used_at = models.DateTimeField(null=True)  # the last time
    max_uses = models.PositiveIntegerField(null=True)
    created_at = models.DateTimeField(default=now)
    expires_at = models.DateTimeField(null=True)
