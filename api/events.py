"""Every kind of event and the data that it carries: the table behind ``asyncapi.yaml``."""

from accounts.schemas import Me, PresenceChoice, SessionsRevoked
from api.blocks.schemas import BlockOut
from api.codec import Payload
from api.drafts.schemas import DraftUpdated
from api.inbox.schemas import NotificationOut, NotificationsRead
from api.messages.schemas import MessageFact, MessagesDeleted, ReactionChanged
from api.rooms.schemas import MemberOut, PreferencesUpdated, RoomFact, RoomRemoved
from api.scheduled.schemas import ScheduledUpdated
from api.sync.schemas import Counts, RoomOut
from api.threads.schemas import ThreadCounts

ROOM_EVENTS: dict[str, type[Payload]] = {
    "message.created": MessageFact,
    "message.edited": MessageFact,
    "message.deleted": MessageFact,
    "message.pinned": MessageFact,
    "message.unpinned": MessageFact,
    "messages.deleted": MessagesDeleted,
    "reaction.added": ReactionChanged,
    "reaction.removed": ReactionChanged,
    "member.joined": MemberOut,
    "member.left": MemberOut,
    "member.removed": MemberOut,
    "member.banned": MemberOut,
    "member.unbanned": MemberOut,
    "member.muted": MemberOut,
    "member.unmuted": MemberOut,
    "member.role_changed": MemberOut,
    "room.updated": RoomFact,
    "room.archived": RoomFact,
    "room.deleted": RoomFact,
}
INBOX_EVENTS: dict[str, type[Payload]] = {
    "room.added": RoomOut,
    "room.removed": RoomRemoved,
    "read.moved": Counts,
    "thread.read": ThreadCounts,
    "notification.created": NotificationOut,
    "notification.read": NotificationsRead,
    "block.added": BlockOut,
    "block.removed": BlockOut,
    "preferences.updated": PreferencesUpdated,
    "draft.updated": DraftUpdated,
    "scheduled.updated": ScheduledUpdated,
    "me.updated": Me,
    "presence.updated": PresenceChoice,
    "session.revoked": SessionsRevoked,
}
EVENTS = ROOM_EVENTS | INBOX_EVENTS
