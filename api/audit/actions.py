"""The one write of the audit, within the transaction of what it tells of."""

import uuid
from typing import Any

from api.audit.models import AuditEntry
from api.clock import now
from api.log.append import Entry, Numbered


def record(
    event: Numbered,
    *,
    user_id: uuid.UUID | None = None,
    message_id: uuid.UUID | None = None,
    reason: str | None = None,
    details: dict[str, Any] | None = None,
) -> None:
    """Keep who did this in a room, and to whom; ``event`` says what, when and by whom."""
    AuditEntry.objects.create(
        room_id=event.entry.stream,
        seq=event.seq,
        at=event.at,
        action=event.entry.type,
        actor_id=event.entry.actor_id,
        user_id=user_id,
        message_id=message_id,
        reason=reason,
        details=details,
    )


def without_event(room_id: uuid.UUID, action: str, actor_id: uuid.UUID, *, head: int) -> Numbered:
    """Return what was done in a locked room that its log does not tell, for ``record``."""
    return Numbered(Entry(room_id, action, actor_id), seq=head, at=now())
