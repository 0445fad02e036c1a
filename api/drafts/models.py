"""The table of drafts."""

from django.db import models

from accounts.models import User
from api.clock import now
from api.rooms.models import Room


class Draft(models.Model):
    """What a person has begun to write in a room."""

    pk = models.CompositePrimaryKey("user_id", "room_id")
    user = models.ForeignKey(User, models.CASCADE, related_name="+")
    room = models.ForeignKey(Room, models.CASCADE, related_name="+")
    text = models.TextField()
    reply_to_id = models.UUIDField(null=True)
    thread_id = models.UUIDField(null=True)
    updated_at = models.DateTimeField(default=now)
