"""``Idempotency-Key``: a repeated POST gets the first answer again, for 24 hours."""

import hashlib
import uuid
from collections.abc import Callable
from datetime import datetime, timedelta

from django.db import IntegrityError, models
from django.http import HttpResponse
from rest_framework.request import Request

from api.clock import now
from api.errors import IdempotencyConflict, InvalidRequest, StillRunning
from api.media import raw_body
from api.rest import encoded

KEPT = timedelta(hours=24)
GIVEN_UP = timedelta(minutes=1)  # a first request that has not answered by then has died
KEY_LENGTH_MAX = 255


class IdempotencyKey(models.Model):
    """A key that a user has sent, and the answer it got; no status yet: still running."""

    user_id = models.UUIDField()
    method = models.CharField(max_length=8)
    path = models.CharField(max_length=200)
    key = models.CharField(max_length=KEY_LENGTH_MAX)
    body_hash = models.BinaryField(max_length=32)
    status = models.PositiveSmallIntegerField(null=True)
    body = models.TextField(null=True)
    created_at = models.DateTimeField(default=now, db_index=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["user_id", "method", "path", "key"], name="idempotency_scope"
            )
        ]


def once(
    request: Request,
    user_id: uuid.UUID,
    act: Callable[[], HttpResponse],
    *,
    said: bytes | None = None,
) -> HttpResponse:
    """Run ``act`` for the first request with this key; later ones get its answer.

    Only what succeeded is kept: a refusal changed nothing and may be tried again. ``said`` is
    what bodies are compared by where they differ without meaning it.

    Raises:
        InvalidRequest: the key is no printable ASCII, or too long.
        IdempotencyConflict: the key came with another body before.
        StillRunning: the first request has not answered yet.
    """
    key = request.headers.get("Idempotency-Key")
    if key is None:
        return act()
    if not 0 < len(key) <= KEY_LENGTH_MAX or not key.isascii() or not key.isprintable():
        raise InvalidRequest("Idempotency-Key: 1 to 255 printable ASCII characters.")
    scope = {"user_id": user_id, "method": request.method, "path": request.path, "key": key}
    body_hash = hashlib.sha256(raw_body(request) if said is None else said).digest()
    try:
        IdempotencyKey.objects.filter(_over(now()), **scope).delete()
        row = IdempotencyKey.objects.create(**scope, body_hash=body_hash)
    except IntegrityError:
        return _again(IdempotencyKey.objects.get(**scope), body_hash)
    try:
        response = act()
    except BaseException:  # also a cancelled request: nothing was made, the key is free
        row.delete()
        raise
    row.status, row.body = response.status_code, response.content.decode()
    row.save(update_fields=["status", "body"])
    return response


def _again(row: IdempotencyKey, body_hash: bytes) -> HttpResponse:
    if bytes(row.body_hash) != body_hash:
        raise IdempotencyConflict
    if row.status is None or row.body is None:
        raise StillRunning
    headers = {"Idempotent-Replayed": "true"}
    return encoded(row.body, row.status, headers)


def forget_old_keys(moment: datetime) -> None:
    """Forget the keys that mean nothing any more."""
    IdempotencyKey.objects.filter(_over(moment)).delete()


def _over(moment: datetime) -> models.Q:
    unanswered = models.Q(status=None, created_at__lt=moment - GIVEN_UP)
    return unanswered | models.Q(created_at__lt=moment - KEPT)
