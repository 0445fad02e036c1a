"""A client's copy of what one person sees: fetched once, then kept up by events alone."""

import copy
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from tests.clients import Person

State = dict[str, Any]
GONE = {"text": None, "metadata": None, "reply_to_id": None, "pinned": False}
EMPTY: State = {"attachments": [], "mentions": [], "reactions": []}


def fetched(person: Person, *rooms: str) -> State:
    """Return a fresh look at these rooms, as far as one is in them, and at one's own things."""
    mine = {room["id"]: room for room in person.get("/rooms?limit=200")["items"]}
    seen = [room for room in rooms if room in mine]
    notifications = person.get("/notifications?limit=200")
    messages = {room: _messages(person, room) for room in seen}
    return {
        "me": person.get("/me"),
        "presence": person.get("/me/presence"),
        "rooms": {room: mine[room] for room in seen},
        "messages": messages,
        "threads": {room: _threads(person, held) for room, held in messages.items()},
        "reactions_at": {
            message["id"]: message["changed_seq"]
            for held in messages.values()
            for message in held.values()
        },
        "members": {room: _members(person, room) for room in seen},
        "notifications": {item["id"]: item for item in notifications["items"]},
        "unread": notifications["unread_count"],
        "blocks": {item["user"]["id"]: item for item in person.get("/blocks")["items"]},
        "drafts": {draft["room_id"]: draft for draft in person.get("/sync")["drafts"]},
        "scheduled": {
            item["id"]: item
            for room in seen
            for item in person.get(f"/rooms/{room}/scheduled")["items"]
        },
        "sessions": {item["id"] for item in person.get("/auth/sessions")["items"]},
    }


def kept_up(state: State, events: list[dict[str, Any]]) -> State:
    """Return the state after these events, as a client would, without asking anything."""
    state = copy.deepcopy(state)
    for event in events:
        stream, data = event["stream"], event["data"]
        _rename(state, {person["id"]: person for person in _people(data)})
        kind, _, what = event["type"].partition(".")
        if stream == state["me"]["id"]:
            _OF_ONE[event["type"]](state, data)
        elif stream in state["rooms"]:
            state["rooms"][stream]["last_seq"] = max(
                state["rooms"][stream]["last_seq"], event["seq"]
            )
            _IN_ROOMS[kind](state, event, data, what)
    for room in state["rooms"].values():
        _count(state, room)
    return state


def comparable(state: State) -> State:
    """Return what events tell: not when exactly one's notifications were read."""
    state = copy.deepcopy(state)
    del state["reactions_at"]
    for item in state["notifications"].values():
        item["read_at"] = item["read_at"] is not None
    return state


def _people(value: Any) -> Iterator[dict[str, Any]]:
    """Find everybody who is shown in something."""
    if isinstance(value, dict):
        if "version" in value:
            yield value
        for item in value.values():
            yield from _people(item)
    elif isinstance(value, list):
        for item in value:
            yield from _people(item)


def _rename(state: State, people: dict[str, Any]) -> None:
    """Show these people everywhere as their highest version does."""
    for shown in _people(state):
        newer = people.get(shown["id"])
        if newer is not None and newer["version"] > shown["version"]:
            shown.update({name: newer[name] for name in shown if name in newer})


def _messages(person: Person, room: str) -> dict[str, Any]:
    items = person.get(f"/rooms/{room}/messages?limit=200")["items"]
    return {message["id"]: message for message in items}


def _threads(person: Person, held: dict[str, Any]) -> dict[str, Any]:
    """Return how far one has read in the threads that there are."""
    pages = {root: person.get(f"/messages/{root}/thread") for root in held if held[root]["thread"]}
    return {root: {"read_seq": page["read_seq"]} for root, page in pages.items()}


def _members(person: Person, room: str) -> dict[str, Any]:
    items = person.get(f"/rooms/{room}/members?limit=200")["items"]
    return {member["user"]["id"]: member for member in items}


# --- in rooms -----------------------------------------------------------------------------


def _message(state: State, event: dict[str, Any], data: Any, _: str) -> None:
    held = state["messages"][event["stream"]]
    before = held.get(data["id"], {"changed_seq": 0, "reactions": [], "thread": None})
    if data["changed_seq"] > before["changed_seq"]:
        own = {"reactions": before["reactions"], "thread": before["thread"]}
        if data["deleted_at"] is not None:
            own["reactions"] = []
        held[data["id"]] = data | own


def _messages_deleted(state: State, event: dict[str, Any], data: Any, _: str) -> None:
    for message in state["messages"][event["stream"]].values():
        if any(first <= message["seq"] <= last for first, last in data["ranges"]) and (
            message["changed_seq"] < event["seq"]
        ):
            changed = {"deleted_at": event["at"], "changed_seq": event["seq"]}
            if message["deleted_at"] is None:
                message.update(copy.deepcopy(GONE | EMPTY) | changed)


def _reaction(state: State, event: dict[str, Any], data: Any, what: str) -> None:
    message = state["messages"][event["stream"]][data["message_id"]]
    known_at = state["reactions_at"].get(data["message_id"], data["message_seq"])
    if event["seq"] <= known_at or message["deleted_at"] is not None:  # docs/decisions/0017
        return
    state["reactions_at"][data["message_id"]] = event["seq"]
    message["changed_seq"] = max(message["changed_seq"], event["seq"])
    reactions = message["reactions"]
    found = next((item for item in reactions if item["emoji"] == data["emoji"]), None)
    if found is None and data["count"]:
        found = {"emoji": data["emoji"], "count": 0, "mine": False}
        reactions.append(found)
    if found is not None:
        found["count"] = data["count"]
        if data["user_id"] == state["me"]["id"]:
            found["mine"] = what == "added"
        if not found["count"]:
            reactions.remove(found)


def _member(state: State, event: dict[str, Any], data: Any, _: str) -> None:
    members, room = state["members"][event["stream"]], state["rooms"][event["stream"]]
    if data["role"] is None:
        members.pop(data["user"]["id"], None)
    else:
        members[data["user"]["id"]] = data
    room["member_count"] = len(members)
    if data["user"]["id"] == state["me"]["id"]:
        room["my_role"] = data["role"]


def _room(state: State, event: dict[str, Any], data: Any, what: str) -> None:
    if what == "deleted":
        _forget(state, event["stream"])
    else:
        state["rooms"][event["stream"]].update(data)


_IN_ROOMS = {
    "message": _message,
    "messages": _messages_deleted,
    "reaction": _reaction,
    "member": _member,
    "room": _room,
}


def _count(state: State, room: dict[str, Any]) -> None:
    """Count by the rule of the contract, and find what was said last."""
    me, held = state["me"]["id"], state["messages"][room["id"]].values()
    unread = [
        message
        for message in held
        if message["seq"] > room["read_seq"]
        and message["sender"]["id"] != me
        and message["deleted_at"] is None
    ]
    room["unread_count"] = sum(message["thread_id"] is None for message in unread)
    room["mention_count"] = sum(
        any(mention["user_id"] in (None, me) for mention in message["mentions"])
        for message in unread
    )
    for root in held:
        root["thread"] = _thread(root["id"], held)
    newest = [message for message in held if message["thread_id"] is None]
    room["last_message"] = max(newest, key=lambda message: message["seq"], default=None)
    if held and room["preferences"]["hidden"]:
        hidden_at = state.setdefault("hidden", {}).setdefault(room["id"], room["last_seq"])
        room["preferences"]["hidden"] = max(message["seq"] for message in held) <= hidden_at
    state.pop("hidden", None)


def _thread(root: str, held: Iterable[dict[str, Any]]) -> dict[str, Any] | None:
    replies = [m for m in held if m["thread_id"] == root and m["deleted_at"] is None]
    if not replies:
        return None
    latest: dict[str, Any] = {}
    for reply in sorted(replies, key=lambda reply: -reply["seq"]):
        latest.setdefault(reply["sender"]["id"], reply["sender"])
    return {
        "count": len(replies),
        "last_seq": max(reply["seq"] for reply in replies),
        "users": list(latest.values())[:5],
    }


def _forget(state: State, room: str) -> None:
    for held in ("rooms", "messages", "members", "threads"):
        state[held].pop(room, None)
    state["drafts"].pop(room, None)


# --- one's own stream ---------------------------------------------------------------------


def _room_added(state: State, data: Any) -> None:
    state["rooms"][data["id"]] = data
    state["messages"].setdefault(data["id"], {})
    state["members"].setdefault(data["id"], {})
    state["threads"].setdefault(data["id"], {})


def _read_moved(state: State, data: Any) -> None:
    room = state["rooms"].get(data["room_id"])
    if room is not None:
        room["read_seq"] = data["read_seq"]


def _notified(state: State, data: Any) -> None:
    if data["id"] not in state["notifications"]:
        state["unread"] += data["read_at"] is None
    state["notifications"][data["id"]] = data


def _notifications_read(state: State, data: Any) -> None:
    for known in data["ids"]:
        if known in state["notifications"]:
            state["notifications"][known]["read_at"] = (
                state["notifications"][known]["read_at"] or "some time"
            )
    state["unread"] = data["unread_count"]


def _preferences(state: State, data: Any) -> None:
    kept = {name: value for name, value in data.items() if name != "room_id"}
    state["rooms"][data["room_id"]]["preferences"] = kept


def _draft(state: State, data: Any) -> None:
    state["drafts"].pop(data["room_id"], None)
    if data["draft"] is not None:
        state["drafts"][data["room_id"]] = data["draft"]


def _scheduled(state: State, data: Any) -> None:
    state["scheduled"].pop(data["id"], None)
    if data["scheduled"] is not None:
        state["scheduled"][data["id"]] = data["scheduled"]


def _thread_read(state: State, data: Any) -> None:
    for threads in state["threads"].values():
        if data["message_id"] in threads:
            threads[data["message_id"]]["read_seq"] = data["read_seq"]


_OF_ONE: dict[str, Callable[[State, Any], object]] = {
    "room.added": _room_added,
    "room.removed": lambda state, data: _forget(state, data["room_id"]),
    "read.moved": _read_moved,
    "thread.read": _thread_read,
    "notification.created": _notified,
    "notification.read": _notifications_read,
    "preferences.updated": _preferences,
    "draft.updated": _draft,
    "scheduled.updated": _scheduled,
    "block.added": lambda state, data: state["blocks"].update({data["user"]["id"]: data}),
    "block.removed": lambda state, data: state["blocks"].pop(data["user"]["id"], None),
    "me.updated": lambda state, data: state["me"].update(data),
    "presence.updated": lambda state, data: state["presence"].update(data),
    "session.revoked": lambda state, data: state["sessions"].difference_update(data["session_ids"]),
}
