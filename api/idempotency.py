"""``Idempotency-Key``: a repeated POST gets the first answer again, for 24 hours."""

import hashlib
import uuid
from collections.abc import Callable
from datetime import datetime, timedelta

from django.db import connection, models
from django.http import HttpResponse
from rest_framework.request import Request

from api.clock import now
from api.errors import IdempotencyConflict, InvalidRequest, StillRunning
from api.log.append import around
from api.media import raw_body
from api.rest import encoded

KEPT = timedelta(hours=24)
KEY_LENGTH_MAX = 255


class IdempotencyKey(models.Model):
    """A key that a user has sent, and the answer it got."""

    user_id = models.UUIDField()
    method = models.CharField(max_length=8)
    path = models.CharField(max_length=200)
    key = models.CharField(max_length=KEY_LENGTH_MAX)
    body_hash = models.BinaryField(max_length=32)
    status = models.PositiveSmallIntegerField()
    body = models.TextField()
    created_at = models.DateTimeField(default=now, db_index=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["user_id", "method", "path", "key"], name="idempotency_scope"
            )
        ]


class Repeatable:
    """A request that may have come before, if it says by which key one would know.

    ``said`` is what bodies are compared by where they differ without meaning it.

    Raises:
        InvalidRequest: the key is no printable ASCII, or too long.
    """

    def __init__(self, request: Request, user_id: uuid.UUID, said: bytes | None = None) -> None:
        key = request.headers.get("Idempotency-Key")
        if key is not None and not _is_key(key):
            raise InvalidRequest("Idempotency-Key: 1 to 255 printable ASCII characters.")
        self._keyed = key is not None
        self._scope = {
            "user_id": user_id,
            "method": request.method,
            "path": request.path,
            "key": key,
        }
        self._body_hash = hashlib.sha256(raw_body(request) if said is None else said).digest()

    def first_answer(self) -> HttpResponse | None:
        """Return what the request was answered before, None if it was not.

        Raises:
            IdempotencyConflict: the key came with another body before.
        """
        row = self._keyed and IdempotencyKey.objects.filter(~_over(now()), **self._scope).first()
        if not row:
            return None
        if bytes(row.body_hash) != self._body_hash:
            raise IdempotencyConflict
        return encoded(row.body, row.status, {"Idempotent-Replayed": "true"})

    def once(self, act: Callable[[], HttpResponse]) -> HttpResponse:
        """Return the first answer, else that of ``act``, which is kept with what it has done.

        Both are one transaction, which ``act`` is called in: a process that dies has done all or
        nothing. Only what succeeded is kept: a refusal changed nothing and may be tried again.

        Raises:
            IdempotencyConflict: as ``first_answer``.
            StillRunning: the first request is under way.
        """
        with around():
            if not self._keyed:
                return act()
            if not self._is_alone():
                raise StillRunning
            response = self.first_answer()
            if response is None:
                response = act()
                self._keep(response)
        return response

    def _is_alone(self) -> bool:
        """Whether no other transaction is at this key; on SQLite there is no other one."""
        if connection.vendor != "postgresql":
            return True
        name = hashlib.sha256(repr(self._scope).encode()).digest()
        with connection.cursor() as cursor:
            number = int.from_bytes(name[:8], signed=True)
            cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", [number])
            (alone,) = cursor.fetchone()
        return bool(alone)

    def _keep(self, response: HttpResponse) -> None:
        IdempotencyKey.objects.filter(**self._scope).delete()  # of another day
        IdempotencyKey.objects.create(
            **self._scope,
            body_hash=self._body_hash,
            status=response.status_code,
            body=response.content.decode(),
        )


def once(request: Request, user_id: uuid.UUID, act: Callable[[], HttpResponse]) -> HttpResponse:
    """Run ``act`` for the first request with this key; later ones get its answer.

    Raises:
        InvalidRequest, IdempotencyConflict, StillRunning: as ``Repeatable``.
    """
    return Repeatable(request, user_id).once(act)


def _is_key(text: str) -> bool:
    return 0 < len(text) <= KEY_LENGTH_MAX and text.isascii() and text.isprintable()


def forget_old_keys(moment: datetime) -> None:
    """Forget the keys that mean nothing any more."""
    IdempotencyKey.objects.filter(_over(moment)).delete()


def _over(moment: datetime) -> models.Q:
    return models.Q(created_at__lt=moment - KEPT)
