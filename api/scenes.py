"""Scenes of the story: what an example says otherwise, in one operation or kind of frame."""

from typing import Any

from api.story import ADA, ANSWERED_AT, BABBAGE, MESSAGE, NOW, REPLY, ROOM, TOMORROW

_ANSWER = {
    "id": REPLY,
    "seq": 13,
    "changed_seq": 13,
    "sender": BABBAGE,
    "text": "It turns.",
    "metadata": None,
    "reply_to_id": MESSAGE,
    "thread_id": MESSAGE,
    "attachments": [],
    "reactions": [],
    "mentions": [],
    "thread": None,
    "created_at": ANSWERED_AT,
}
_TOMBSTONE: dict[str, Any] = {
    "text": None,
    "metadata": None,
    "attachments": [],
    "mentions": [],
    "changed_seq": 14,
    "deleted_at": NOW,
}
_PINNED = {"pinned": True, "changed_seq": 14}
_UNPINNED = {"changed_seq": 15}
_EDITED = {
    "text": "@charles, does the mill turn now? Here is the plan.",
    "changed_seq": 14,
    "edited_at": NOW,
}
_MUTED = {"muted_until": TOMORROW}
_GONE = {"role": None}

_OWN = {"stream": ADA, "seq": 27}

SCENES: dict[str, Any] = {  # by operation, or kind of frame: what is otherwise in this one
    "getThread": {"items": [_ANSWER]},
    "getPins": {"items": [_PINNED]},
    "putPin": _PINNED,
    "deletePin": _UNPINNED,
    "patchMessage": _EDITED,
    "deleteMessage": _TOMBSTONE | {"reactions": []},
    "getRoomEvents": {
        "items": [
            {
                "data": {
                    "message_id": MESSAGE,
                    "message_seq": 12,
                    "emoji": "👍",
                    "user_id": ADA,
                    "count": 1,
                }
            }
        ]
    },
    "getMyEvents": {
        "to": 27,
        "head": 27,
        "items": [
            {
                "type": "read.moved",
                "stream": ADA,
                "seq": 27,
                "data": {
                    "room_id": ROOM,
                    "read_seq": 12,
                    "unread_count": 1,
                    "mention_count": 0,
                    "head": 13,
                },
            }
        ],
    },
    "putMute": _MUTED,
    "deleteReaction": {"seq": 15, "count": 0},
    "message.edited": {"seq": 14, "data": _EDITED},
    "message.deleted": {"seq": 14, "data": _TOMBSTONE},
    "message.pinned": {"seq": 14, "data": _PINNED},
    "message.unpinned": {"seq": 15, "data": _UNPINNED},
    "member.left": {"data": _GONE},
    "member.removed": {"data": _GONE},
    "member.banned": {"data": _GONE},
    "member.unbanned": {"data": _GONE},
    "member.muted": {"data": _MUTED},
    "reaction.removed": {"data": {"count": 0}},
    **dict.fromkeys(
        (
            *("room.added", "room.removed", "read.moved", "thread.read", "preferences.updated"),
            *("notification.created", "notification.read", "block.added", "block.removed"),
            *("draft.updated", "scheduled.updated", "me.updated", "presence.updated"),
            "session.revoked",
        ),
        _OWN,
    ),
}
