"""Writes of notifications: telling one person something, on every device, for good."""

import uuid
from collections.abc import Sequence
from typing import Any

from django.db.models import Q

from accounts.models import User
from api.blocks.queries import blockers_among
from api.clock import now
from api.codec import check_size, plain
from api.errors import InvalidRequest, NotFound, PermissionDenied
from api.inbox import queries
from api.inbox.models import Notification
from api.inbox.notices import tell
from api.inbox.schemas import (
    KIND_CHARACTERS_MAX,
    TEXT_CHARACTERS_MAX,
    NotificationsRead,
)
from api.log.append import Entry, append, lock, writing
from api.statements import parts

DATA_BYTES_MAX = 4 * 1024
READ_AT_ONCE = 1_000  # ids in one event: it has to fit a frame


def notify(
    *,
    user_id: uuid.UUID,
    text: str,
    kind: str = "notice",
    data: dict[str, Any] | None = None,
    actor_id: uuid.UUID | None = None,
) -> Notification:
    """Tell one person something. Any Django code may call this, outside a transaction.

    ``actor_id`` is who says so, where it is not the service itself.

    It lands in the person's stream, so on every device that is connected, and waits in
    their notifications when none is.

    Raises:
        InvalidRequest: text or kind are blank or too long, or there is too much data.
        NotFound: there is no such person.
        PermissionDenied: they do not want to hear from the actor.
    """
    if not kind.strip() or len(kind) > KIND_CHARACTERS_MAX or "\x00" in kind:
        raise InvalidRequest.at("/kind", f"1 to {KIND_CHARACTERS_MAX} characters.")
    if not text.strip() or len(text) > TEXT_CHARACTERS_MAX or "\x00" in text:
        raise InvalidRequest.at("/text", f"1 to {TEXT_CHARACTERS_MAX} characters.")
    check_size(data, DATA_BYTES_MAX, "/data")
    with writing():
        (notification,) = tell(
            [user_id], at=now(), kind=kind, text=text, data=data, actor_id=actor_id
        )
        if not User.objects.filter(pk=user_id, erased_at=None).exists():
            raise NotFound("There is no such person.")
        if actor_id is not None and blockers_among([user_id], actor_id):
            raise PermissionDenied
    return notification


def read_notifications(
    *, user_id: uuid.UUID, ids: list[uuid.UUID] | None = None, up_to: int | None = None
) -> NotificationsRead:
    """Mark notifications as read; the other devices are told which.

    Raises:
        InvalidRequest: not exactly one of ``ids`` and ``up_to``.
    """
    if (ids is None) == (up_to is None):
        raise InvalidRequest.at("", "Either ids or up_to.")
    which = Q(pk__in=ids) if ids is not None else Q(seq__lte=up_to)
    ids_read: list[uuid.UUID] = []
    while True:
        some = _read_some(user_id, which)
        ids_read += some.ids
        if len(some.ids) < READ_AT_ONCE:
            return NotificationsRead(ids=ids_read, unread_count=some.unread_count)


def settle(user_id: uuid.UUID, ids: Sequence[uuid.UUID]) -> list[Entry]:
    """Mark these as read, in a transaction that holds the person's stream; they are unread.

    Returns what is to be appended: the other devices are told which.
    """
    if not ids:
        return []
    for part in parts(ids):
        Notification.objects.filter(pk__in=part).update(read_at=now())
    left = queries.unread_count(user_id)
    entries = []
    for start in range(0, len(ids), READ_AT_ONCE):
        read = list(ids[start : start + READ_AT_ONCE])
        later = len(ids) - start - len(read)
        unread = min(left + later, queries.UNREAD_COUNTED)
        told = NotificationsRead(ids=read, unread_count=unread)
        entries.append(Entry(user_id, "notification.read", user_id, data=plain(told)))
    return entries


def _read_some(user_id: uuid.UUID, which: Q) -> NotificationsRead:
    with writing():
        lock(user_id)
        chosen = Notification.objects.filter(which, user_id=user_id, read_at=None)
        read = list(chosen.order_by("seq").values_list("pk", flat=True)[:READ_AT_ONCE])
        entries = settle(user_id, read)
        if entries:
            append(entries)
        return NotificationsRead(ids=read, unread_count=queries.unread_count(user_id))
