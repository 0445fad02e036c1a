"""The table of blocks."""

from django.db import models

from accounts.models import User
from api.clock import now


class Block(models.Model):
    """One person does not want to hear from another, who is not told."""

    pk = models.CompositePrimaryKey("blocker_id", "blocked_id")
    blocker = models.ForeignKey(User, models.CASCADE, related_name="+")
    blocked = models.ForeignKey(User, models.CASCADE, related_name="+")
    created_at = models.DateTimeField(default=now)
