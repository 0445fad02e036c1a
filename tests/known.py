"""What a client knows: a reducer of events, as an integrator would write it."""

from typing import Any, Self

from tests.clients import sender

Event = dict[str, Any]
Data = dict[str, Any]

LOST: Data = {
    "text": None,
    "metadata": None,
    "reply_to_id": None,
    "attachments": [],
    "pinned": False,
}  # with a tombstone


class Known:
    """The state that events lead to; of two copies the one with the higher number is true."""

    def __init__(self) -> None:
        self.messages: dict[str, Data] = {}
        self.reactions: dict[str, dict[str, int]] = {}  # by message: emoji, in order, and counts
        self.members: dict[str, Data] = {}
        self.people: dict[str, Data] = {}
        self.rooms: dict[str, Data] = {}
        self.read: dict[str, Data] = {}
        self.unread: set[str] = set()
        self.blocks: dict[str, Data] = {}
        self.preferences: dict[str, Data] = {}

    def apply(self, events: list[Event]) -> Self:
        """Take in events of a room or of a person, in their order."""
        for event in events:
            self._take(event)
        return self

    def _take(self, event: Event) -> None:
        noun, verb = event["type"].split(".")
        data = event["data"]
        match noun:
            case "message":
                self.take_message(data)
            case "messages":
                self._bury(data["ranges"], event)
            case "reaction":
                self._take_reaction_event(event)
            case "member":
                self.take_member(data)
            case "room":
                self._take_room_event(verb, data)
            case _:
                self._take_own_event(noun, verb, data)

    def _take_own_event(self, noun: str, verb: str, data: Data) -> None:
        match noun:
            case "notification":
                self._take_notification_event(verb, data)
            case "read":
                self.read[data["room_id"]] = data
            case "me":
                self.take_person(data)
            case "preferences":
                self.preferences[data["room_id"]] = data
            case "block":
                self._take_block_event(verb, data)

    def take_message(self, data: Data) -> None:
        """Take a copy of a message, from an event or an answer."""
        shown = {name: data[name] for name in data if name not in ("reactions", "thread")}
        self.take_person(shown["sender"])
        shown["sender"] = shown["sender"]["id"]
        known = self.messages.get(shown["id"])
        if known is None or known["changed_seq"] <= shown["changed_seq"]:
            self.messages[shown["id"]] = shown
        if data.get("reactions"):
            counts = {reaction["emoji"]: reaction["count"] for reaction in data["reactions"]}
            self.reactions[shown["id"]] = counts
        if shown["deleted_at"] is not None:
            self.reactions.pop(shown["id"], None)

    def take_member(self, data: Data) -> None:
        """Take a member, who may have gone."""
        self.take_person(data["user"])
        self.members.pop(data["user"]["id"], None)
        if data["role"] is not None:
            self.members[data["user"]["id"]] = data | {"user": data["user"]["id"]}

    def take_room(self, data: Data) -> None:
        """Take what of a room is the same for everybody and its own."""
        names = (
            "name",
            "topic",
            "metadata",
            "avatar",
            "archived_at",
            "frozen",
            "slow_mode_seconds",
            "join",
        )
        self.rooms[data["id"]] = {name: data[name] for name in names}

    def take_person(self, data: Data) -> None:
        """Take a profile."""
        known = self.people.get(data["id"])
        if known is None or known["version"] <= data["version"]:
            self.people[data["id"]] = sender(data)

    def _take_room_event(self, verb: str, data: Data) -> None:
        if verb == "removed":
            self.rooms.pop(data["room_id"], None)
        else:
            self.take_room(data)

    def _take_notification_event(self, verb: str, data: Data) -> None:
        if verb == "read":
            self.unread -= set(data["ids"])
        elif data["read_at"] is None:
            self.unread.add(data["id"])

    def _take_block_event(self, verb: str, data: Data) -> None:
        self.take_person(data["user"])
        self.blocks.pop(data["user"]["id"], None)
        if verb == "added":
            self.blocks[data["user"]["id"]] = data | {"user": data["user"]["id"]}

    def _take_reaction_event(self, event: Event) -> None:
        data = event["data"]
        message = self.messages[data["message_id"]]
        if message["deleted_at"] is not None:
            return
        counts = self.reactions.setdefault(message["id"], {})
        counts[data["emoji"]] = data["count"]
        left = {emoji: count for emoji, count in counts.items() if count}
        self.reactions = self.reactions | {message["id"]: left}
        if not left:
            del self.reactions[message["id"]]
        newest = max(message["changed_seq"], event["seq"])
        self.messages[message["id"]] = message | {"changed_seq": newest}

    def _bury(self, ranges: list[list[int]], event: Event) -> None:
        when = {"deleted_at": event["at"], "changed_seq": event["seq"]}
        for message_id, message in self.messages.items():
            within = any(first <= message["seq"] <= last for first, last in ranges)
            alive = message["deleted_at"] is None and message["changed_seq"] < event["seq"]
            if within and alive:
                self.messages[message_id] = message | LOST | when
                self.reactions.pop(message_id, None)
