"""Reads of the audit."""

import uuid

from django.db.models import Q

from api.audit.models import AuditEntry
from api.errors import InvalidRequest


def entries_before(room_id: uuid.UUID, cursor: uuid.UUID | None, limit: int) -> list[AuditEntry]:
    """Return what was done in a room, the newest first, that is older than the cursor's.

    Raises:
        InvalidRequest: the cursor is none of this room's.
    """
    found = AuditEntry.objects.filter(room_id=room_id)
    if cursor is not None:
        seq = found.filter(pk=cursor).values_list("seq", flat=True).first()
        if seq is None:
            raise InvalidRequest("The parameter 'cursor' is none of ours.")
        found = found.filter(Q(seq__lt=seq) | Q(seq=seq, pk__lt=cursor))
    return list(found.order_by("-seq", "-pk")[:limit])
