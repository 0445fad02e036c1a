"""All tables of ``api``, by name, so that Django finds them."""

from api.audit.models import AuditEntry
from api.blocks.models import Block
from api.drafts.models import Draft
from api.idempotency import IdempotencyKey
from api.inbox.models import Notification
from api.invitations.models import Invite
from api.lease import Lease
from api.log.models import Epoch, Event, Stream
from api.mentions.models import Mention
from api.messages.models import Message, Participant, Reaction, ReactionKind
from api.moderation.models import Report
from api.rooms.models import Ban, Filter, JoinRequest, Member, Mute, Room
from api.scheduled.models import ScheduledMessage
from api.uploads.models import Upload

__all__ = [
    "AuditEntry",
    "Ban",
    "Block",
    "Draft",
    "Epoch",
    "Event",
    "Filter",
    "IdempotencyKey",
    "Invite",
    "JoinRequest",
    "Lease",
    "Member",
    "Mention",
    "Message",
    "Mute",
    "Notification",
    "Participant",
    "Reaction",
    "ReactionKind",
    "Report",
    "Room",
    "ScheduledMessage",
    "Stream",
    "Upload",
]
