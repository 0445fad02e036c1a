"""The WebSocket contract as an AsyncAPI 3.0 document: generated from what serves it."""

from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from api import commands
from api.codec import Payload
from api.discovery import VERSION
from api.events import EVENTS
from api.examples import Examples
from api.log.frames import EventFrame
from realtime import moments, protocol
from realtime.close_codes import ALL

_REF = "#/components/schemas/{name}"
_ID = {"anyOf": [{"type": "string", "maxLength": protocol.ID_LENGTH_MAX}, {"type": "integer"}]}
_FRAMES: tuple[type[Payload], ...] = (
    protocol.Hello,
    protocol.Error,
    protocol.Pong,
    protocol.Subscribed,
    protocol.Unsubscribed,
    protocol.Gap,
    moments.Typing,
    moments.Presence,
    protocol.AuthExpiring,
    protocol.Bye,
)
_RESULTS: dict[str, type[Payload]] = {
    "auth": protocol.Renewed,
    "unsubscribe": protocol.Nothing,
    **{kind: command.reply for kind, command in commands.TABLE.items()},
}
_TOKEN = {
    "token": {
        "type": "string",
        "description": "A socket token (`POST /auth/socket-token`), or an access token.",
    }
}
_SINCE = {
    "since": {
        "type": "integer",
        "minimum": 0,
        "description": "The number up to which the client has the room; absent: from now on.",
    }
}
_HEADERS = {
    "Authorization": {"type": "string", "description": "`Bearer` and a token: native clients."},
    "Sec-WebSocket-Protocol": {
        "type": "string",
        "description": f"`{protocol.PROTOCOL}`, and `{protocol.BEARER_PREFIX}` with a token behind "
        "it: browsers. Without a token here, there, or in the query, the first frame is `auth`.",
    },
}
_COMMANDS = {
    **protocol.OWN_COMMANDS,
    **{kind: command.shape for kind, command in commands.TABLE.items()},
}

Schema = dict[str, Any]


def document() -> Schema:
    """Return the whole document."""
    components = _components()
    sent = {_name(kind, "Command"): _command(kind, components) for kind in _COMMANDS}
    sent_there = sent | {
        _name(kind, "ThereCommand"): _command(kind, components, there=True)
        for kind, shape in _COMMANDS.items()
        if "room_id" in shape.__struct_fields__
    }
    received = {
        **{str(frame.__struct_config__.tag): components[frame.__name__] for frame in _FRAMES},
        **{_name(kind, "Result"): _result(kind, components) for kind in _RESULTS},
        "batch": _batch(),
        **{kind: _event(kind, components) for kind in EVENTS},
    }
    messages: Schema = {
        name: {"name": name, "payload": payload}
        for name, payload in (sent_there | received).items()
    }
    found: Schema = {
        "asyncapi": "3.0.0",
        "info": {
            "title": "Gapless",
            "version": VERSION,
            "description": "The WebSocket side of the contract. " + _closes(),
        },
        "defaultContentType": "application/json",
        "channels": {
            "socket": _channel("/ws/", "One socket for everything.", [*sent, *received], _TOKEN),
            "room": _channel(
                "/ws/rooms/{room_id}/",
                "The same, subscribed to a room from `hello` on; commands may leave it out.",
                [*sent_there, *received],
                _TOKEN | _SINCE,
            )
            | {"parameters": {"room_id": {"description": "The id of the room."}}},
        },
        "operations": {
            "command": _operation("receive", "socket", sent),
            "news": _operation("send", "socket", received),
            "commandThere": _operation("receive", "room", sent_there),
            "newsThere": _operation("send", "room", received),
        },
        "components": {"messages": messages, "schemas": components},
    }
    examples = Examples(found)
    for name, message in messages.items():
        message["examples"] = [{"payload": examples.of(message["payload"], name)}]
    return found


def _components() -> Schema:
    structs: set[type[msgspec.Struct]] = {
        *_FRAMES,
        *_RESULTS.values(),
        *_COMMANDS.values(),
        *EVENTS.values(),
        EventFrame,
    }
    ordered = sorted(structs, key=lambda struct: struct.__name__)
    _, components = msgspec.json.schema_components(ordered, ref_template=_REF)
    return dict(sorted(components.items()))


def _command(kind: str, components: Schema, *, there: bool = False) -> Schema:
    """Describe a command; ``there``: over the socket of a room, which it need not name."""
    shape = dict(components[_COMMANDS[kind].__name__])
    shape["properties"] = {"type": {"const": kind}, "id": _ID, **shape["properties"]}
    required = [name for name in shape.get("required", []) if not (there and name == "room_id")]
    shape["required"] = ["type", *required]
    return shape


def _result(kind: str, components: Schema) -> Schema:
    shape = dict(components[_RESULTS[kind].__name__])
    shape["properties"] = {"type": {"const": "ok"}, "id": _ID, **shape["properties"]}
    shape["required"] = ["type", *shape.get("required", [])]
    return shape


def _event(kind: str, components: Schema) -> Schema:
    shape = dict(components[EventFrame.__name__])
    data = {"$ref": _REF.format(name=EVENTS[kind].__name__)}
    shape["properties"] = {**shape["properties"], "type": {"const": kind}, "data": data}
    return shape


def _batch() -> Schema:
    events = [{"$ref": f"#/components/messages/{kind}/payload"} for kind in EVENTS]
    return {
        "title": "Batch",
        "description": "What was missed; the position becomes `to`.",
        "type": "object",
        "properties": {
            "type": {"const": "batch"},
            "stream": {"type": "string", "format": "uuid"},
            "from": {"type": "integer"},
            "to": {"type": "integer"},
            "events": {"type": "array", "items": {"anyOf": events}},
        },
        "required": ["type", "stream", "from", "to", "events"],
    }


def _channel(
    address: str, description: str, messages: Iterable[str], query: Mapping[str, Any]
) -> Schema:
    refs = {name: {"$ref": f"#/components/messages/{name}"} for name in messages}
    handshake = {
        "method": "GET",
        "query": {"type": "object", "properties": query},
        "headers": {"type": "object", "properties": _HEADERS},
        "bindingVersion": "0.1.0",
    }
    return {
        "address": address,
        "description": description,
        "messages": refs,
        "bindings": {"ws": handshake},
    }


def _operation(action: str, channel: str, names: Iterable[str]) -> Schema:
    refs = [{"$ref": f"#/channels/{channel}/messages/{name}"} for name in names]
    return {"action": action, "channel": {"$ref": f"#/channels/{channel}"}, "messages": refs}


def _name(kind: str, suffix: str) -> str:
    return "".join(part.capitalize() for part in kind.split(".")) + suffix


def _closes() -> str:
    rows = [f"{close.code} {close.reason} ({close.reconnect})" for close in ALL]
    return "Close codes: " + ", ".join(rows) + "."
