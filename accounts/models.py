"""The tables of accounts: users, their sessions and tokens, the keys that sign."""

import uuid_utils.compat as uuid_utils
from django.contrib.auth.base_user import AbstractBaseUser
from django.db import models

from api.clock import now


class User(AbstractBaseUser):
    """A person or a bot.

    ``username`` is stored as it is compared; ``skeleton`` is what look-alikes share.
    ``version`` counts changes of the profile. Erased people keep id and version.
    ``is_staff``: speaks for the service, as bots do.
    ``hide_receipts``: others do not see what this person has read, nor they what others have.
    ``import_key`` is the name, as it is compared, that an import knows a person by.
    """

    id = models.UUIDField(primary_key=True, default=uuid_utils.uuid7, editable=False)
    username = models.CharField(max_length=32, unique=True, null=True)
    skeleton = models.CharField(max_length=64, unique=True, null=True)
    display_name = models.CharField(max_length=100, null=True)
    import_key = models.CharField(max_length=100, unique=True, null=True)
    avatar = models.JSONField(null=True)
    is_bot = models.BooleanField(default=False)
    is_staff = models.BooleanField(default=False)
    version = models.PositiveIntegerField(default=1)
    hide_receipts = models.BooleanField(default=False)
    created_at = models.DateTimeField(default=now)
    disabled_at = models.DateTimeField(null=True)
    erased_at = models.DateTimeField(null=True)
    last_login = None

    USERNAME_FIELD = "username"

    @property
    def enabled(self) -> bool:
        """Whether this person may sign in."""
        return self.disabled_at is None and self.erased_at is None


class Erasure(models.Model):
    """An erasure under way: the account is gone, what the person said may not be yet."""

    user = models.OneToOneField(User, models.CASCADE, primary_key=True)
    begun_at = models.DateTimeField(default=now)


class Presence(models.Model):
    """How a person wants to be seen, and when they last were; without a row, as they are."""

    user = models.OneToOneField(User, models.CASCADE, primary_key=True, related_name="presence")
    status = models.CharField(max_length=9, default="online")
    hide_last_seen = models.BooleanField(default=False)
    last_seen_at = models.DateTimeField(null=True)


class Session(models.Model):
    """One device that is signed in.

    ``generation`` is the number of the present refresh token; ``proven`` is the highest
    generation that the client has shown to hold, by using it or an access token of it.
    ``expires_at`` slides with every refresh, ``ends_at`` does not (null: no such end).
    """

    id = models.UUIDField(primary_key=True, default=uuid_utils.uuid7, editable=False)
    user = models.ForeignKey(User, models.CASCADE, related_name="sessions")
    device = models.CharField(max_length=100, default="")
    address = models.CharField(max_length=45, default="")
    created_at = models.DateTimeField(default=now)
    last_used_at = models.DateTimeField(default=now)
    expires_at = models.DateTimeField()
    ends_at = models.DateTimeField(null=True)
    revoked_at = models.DateTimeField(null=True)
    generation = models.PositiveIntegerField(default=1)
    proven = models.PositiveIntegerField(default=1)

    class Meta:
        indexes = [
            models.Index(
                fields=["user"],
                name="session_living",
                condition=models.Q(revoked_at__isnull=True),
            )
        ]


class RefreshToken(models.Model):
    """A generation of a session's refresh token, kept as a hash."""

    pk = models.CompositePrimaryKey("session_id", "generation")
    session = models.ForeignKey(Session, models.CASCADE)
    generation = models.PositiveIntegerField()
    secret_hash = models.BinaryField(max_length=32)
    replaced_at = models.DateTimeField(null=True)


class BotKey(models.Model):
    """The key of a bot, kept as a hash; it is known by its prefix, and as good as its session."""

    prefix = models.CharField(max_length=12, primary_key=True)
    session = models.OneToOneField(Session, models.CASCADE)
    secret_hash = models.BinaryField(max_length=32)


class UsedSocketToken(models.Model):
    """A socket token that has opened its one socket; kept until after it would have expired."""

    jti = models.UUIDField(primary_key=True)
    expires_at = models.DateTimeField(db_index=True)


class SigningKey(models.Model):
    """A key of the ring, from ``signs_from`` on until the next; see ``accounts.keys``.

    ``sealed`` is its material, encrypted; null for the key that is in the environment.
    """

    kid = models.CharField(max_length=16, primary_key=True)
    algorithm = models.CharField(max_length=8)
    sealed = models.BinaryField(null=True)
    signs_from = models.DateTimeField()
