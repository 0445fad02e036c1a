"""The files of messages: taken out of what their senders have sent, each of them once."""

import uuid
from collections.abc import Collection, Sequence
from datetime import datetime

from django.db.models import Q, QuerySet

from api.errors import InvalidRequest
from api.messages.models import Message
from api.uploads import using
from api.uploads.models import Upload
from api.uploads.schemas import Attachment, UsedBy, attachment


class Files:
    """The uploads that the messages of one transaction may take; made after its rooms are locked.

    Their rows are held later, after all streams (docs/decisions/0006).
    """

    def __init__(self, ids: Collection[uuid.UUID] = ()) -> None:
        self._left = using.unused(ids, hold=False) if ids else {}
        self._taken: dict[uuid.UUID, list[Upload]] = {}

    def take(self, message_id: uuid.UUID, sender_id: uuid.UUID, ids: Sequence[uuid.UUID]) -> None:
        """Let a message have these.

        Raises:
            InvalidRequest: one of them is not there any more, or somebody else's.
        """
        self._taken[message_id] = using.take(
            owner_id=sender_id, ids=ids, left=self._left, pointer="/attachment_ids"
        )

    def hold(self) -> dict[uuid.UUID, InvalidRequest]:
        """Lock what was taken; return what is told to messages whose files others just took."""
        ids = {upload.id for taken in self._taken.values() for upload in taken}
        held = using.unused(ids) if ids else {}
        return {
            message_id: using.refusal("/attachment_ids", place)
            for message_id, taken in self._taken.items()
            for place, upload in enumerate(taken)
            if upload.id not in held
        }

    def of(self, message_id: uuid.UUID) -> list[Attachment]:
        """Show what a message has taken."""
        return [attachment(upload) for upload in self._taken.get(message_id, ())]

    def keep(self, message_id: uuid.UUID, room_id: uuid.UUID) -> None:
        """Note that they are used, once the message is there."""
        ids = [upload.id for upload in self._taken.get(message_id, ())]
        if ids:
            using.use(ids, UsedBy("message", message_id, room_id))


def release(messages: QuerySet[Message], moment: datetime) -> None:
    """Let nobody see the files of these messages any more."""
    with_files = messages.filter(attachments__isnull=False).order_by().values("pk")
    using.release(Q(used_by_id__in=with_files), moment)
