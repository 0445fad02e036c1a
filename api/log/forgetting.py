"""Taking words out of the log: what an event told stays told, and is kept no longer."""

import uuid

from api.log.models import Event


def forget_told(stream: uuid.UUID, subject_kind: str) -> None:
    """Forget what events of a stream that nobody reads any more said of things of a kind."""
    Event.objects.filter(stream_id=stream, subject_kind=subject_kind).update(data=None)
