"""Knowing a repeated send by its ``client_msg_id``, whatever has become of the message."""

import uuid

from api.errors import IdempotencyConflict
from api.messages import queries
from api.messages.content import content_hash
from api.messages.models import Message
from api.messages.schemas import Content, Sent
from api.statements import Given, Rows

_known = Rows(
    lambda message_id, said: (message_id, bytes(said)),
    lambda: Message.objects.filter(
        room_id=Given("room_id"), sender_id=Given("sender_id"), client_msg_id=Given("client_id")
    ).values_list("pk", "content_hash"),
)


def sent_before(
    sender_id: uuid.UUID, room_id: uuid.UUID, content: Content
) -> Sent | IdempotencyConflict | None:
    """Return the message that this is a repetition of, if it is one."""
    client_id = content.client_msg_id
    known = client_id and _known.first(room_id=room_id, sender_id=sender_id, client_id=client_id)
    if not known:
        return None
    message_id, said = known
    if said != content_hash(content):
        return IdempotencyConflict()
    return Sent(message=queries.message(message_id), replayed=True)
