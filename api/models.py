"""All tables of ``api``, by name, so that Django finds them."""

from api.blocks.models import Block
from api.idempotency import IdempotencyKey
from api.inbox.models import Notification
from api.lease import Lease
from api.log.models import Epoch, Event, Stream
from api.mentions.models import Mention
from api.messages.models import Message, Reaction, ReactionKind
from api.rooms.models import Member, Room
from api.uploads.models import Upload

__all__ = [
    "Block",
    "Epoch",
    "Event",
    "IdempotencyKey",
    "Lease",
    "Member",
    "Mention",
    "Message",
    "Notification",
    "Reaction",
    "ReactionKind",
    "Room",
    "Stream",
    "Upload",
]
