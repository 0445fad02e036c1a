"""The tables of rooms: the room, and who belongs to it."""

from datetime import UTC, datetime

import uuid_utils.compat as uuid_utils
from django.db import models

from accounts.models import User
from api.clock import now
from api.codec import StoredJson

FOREVER = datetime(9999, 1, 1, tzinfo=UTC)  # no time to come is later


class Kind(models.TextChoices):
    """Who can see a room: everybody, its members, or the fixed set it was made for."""

    PUBLIC = "public"
    PRIVATE = "private"
    DIRECT = "direct"


class Role(models.IntegerChoices):
    """What a member may do; a higher number may do more. On the wire: the lower name."""

    READER = 10
    MEMBER = 20
    MODERATOR = 30
    ADMIN = 40
    OWNER = 50

    @property
    def wire(self) -> str:
        """The name that clients see."""
        return self.name.lower()


class Room(models.Model):
    """A place to talk. Its stream in the log has the same id.

    ``direct_key`` is the sorted ids of the people of a direct room: one room a set.
    ``frozen``: only moderators write. ``filter_version``: of its words that are not wanted, 0
    when there are none. A deleted room keeps its row and loses its people.
    """

    id = models.UUIDField(primary_key=True, default=uuid_utils.uuid7, editable=False)
    kind = models.CharField(max_length=8, choices=Kind.choices)
    join = models.CharField(max_length=8, default="open")
    name = models.CharField(max_length=100, null=True)
    topic = models.CharField(max_length=500, default="")
    metadata = models.JSONField(null=True, decoder=StoredJson)
    avatar = models.JSONField(null=True)
    direct_key = models.CharField(max_length=400, null=True, unique=True)
    import_key = models.CharField(max_length=100, null=True, unique=True)
    created_at = models.DateTimeField(default=now)
    archived_at = models.DateTimeField(null=True)
    deleted_at = models.DateTimeField(null=True)
    frozen = models.BooleanField(default=False)
    slow_mode_seconds = models.PositiveIntegerField(default=0)
    filter_version = models.PositiveIntegerField(default=0)
    member_count = models.PositiveIntegerField(default=0)

    @property
    def of_two(self) -> bool:
        """Whether it is the direct room of two people."""
        return self.kind == Kind.DIRECT and self.member_count == 2


class Member(models.Model):
    """A person in a room. The row goes when they go.

    ``joined_seq`` is the number of their own ``member.joined``, ``read_seq`` that up to which
    they have read; ``hidden_seq`` the number of the room at which they hid it (direct rooms):
    shown again when more is said. ``send_slot`` is when they may send a whole burst again
    (``api.limits.Rate``).
    """

    pk = models.CompositePrimaryKey("room_id", "user_id")
    room = models.ForeignKey(Room, models.CASCADE, related_name="members")
    user = models.ForeignKey(User, models.CASCADE, related_name="memberships")
    role = models.PositiveSmallIntegerField(choices=Role.choices, default=Role.MEMBER)
    joined_at = models.DateTimeField(default=now)
    joined_seq = models.BigIntegerField(default=0)
    read_seq = models.BigIntegerField(default=0)
    muted_until = models.DateTimeField(null=True)
    last_sent_at = models.DateTimeField(null=True)
    send_slot = models.DateTimeField(null=True)
    hidden_seq = models.BigIntegerField(null=True)
    notification_level = models.CharField(max_length=8, default="all")
    notifications_muted_until = models.DateTimeField(null=True)
    favourite = models.BooleanField(default=False)

    @property
    def unwanted(self) -> bool:
        """Whether the other one of two has blocked them, where ``members_in`` looked it up."""
        return bool(getattr(self, "blocked_by_other", False))


class Ban(models.Model):
    """Who is not let into a room: until a time, or until they are let in again.

    A ban that is over may still be there for a moment: ask ``holds_at``.
    """

    pk = models.CompositePrimaryKey("room_id", "user_id")
    room = models.ForeignKey(Room, models.CASCADE, related_name="+")
    user = models.ForeignKey(User, models.CASCADE, related_name="+")
    until = models.DateTimeField(null=True)
    reason = models.CharField(max_length=500, null=True)
    actor_id = models.UUIDField(null=True)
    created_at = models.DateTimeField(default=now)

    class Meta:
        indexes = [models.Index(fields=["until"], name="ban_over")]

    def holds_at(self, moment: datetime) -> bool:
        """Tell whether it is not over yet."""
        return self.until is None or self.until > moment

    def says(self, other: "Ban") -> bool:
        """Tell whether another one of the same person would be the same."""
        return (self.until, self.reason) == (other.until, other.reason)


class Mute(models.Model):
    """Who may not write in a room, whether they are there now or come back.

    Of a member, ``Member.muted_until`` says the same, for sends to be checked against.
    """

    pk = models.CompositePrimaryKey("room_id", "user_id")
    room = models.ForeignKey(Room, models.CASCADE, related_name="+")
    user = models.ForeignKey(User, models.CASCADE, related_name="+")
    until = models.DateTimeField(null=True)
    actor_id = models.UUIDField(null=True)
    created_at = models.DateTimeField(default=now)

    class Meta:
        indexes = [models.Index(fields=["until"], name="mute_over")]


class Former(models.Model):
    """What is remembered of a member who has gone: coming back by oneself begins nothing anew.

    ``reader``: that they might only read. The times are those of ``Member``.
    """

    pk = models.CompositePrimaryKey("room_id", "user_id")
    room = models.ForeignKey(Room, models.CASCADE, related_name="+")
    user = models.ForeignKey(User, models.CASCADE, related_name="+")
    reader = models.BooleanField(default=False)
    last_sent_at = models.DateTimeField(null=True)
    send_slot = models.DateTimeField(null=True)


class Filter(models.Model):
    """The words that are not wanted in a room, and what becomes of them: ``block``, ``mask``."""

    room = models.OneToOneField(Room, models.CASCADE, primary_key=True, related_name="+")
    words = models.JSONField(default=list)
    action = models.CharField(max_length=5, default="block")
    version = models.PositiveIntegerField(default=0)


class JoinRequest(models.Model):
    """Somebody who asks to be let into a room; gone when they are in it."""

    id = models.UUIDField(primary_key=True, default=uuid_utils.uuid7, editable=False)
    room = models.ForeignKey(Room, models.CASCADE)
    user = models.ForeignKey(User, models.CASCADE, related_name="+")
    text = models.CharField(max_length=500, default="")
    created_at = models.DateTimeField(default=now)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["room", "user"], name="asked_once")]
