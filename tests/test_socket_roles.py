"""Who may do what on a socket: the tables of docs/roles.md, cell by cell."""

from typing import Any

import pytest
from django.urls import URLPattern
from django.urls.resolvers import RoutePattern

from api import commands
from realtime import protocol, routing
from tests.cast import Cast, Scene
from tests.clients import Person, Socket
from tests.roles import EVERYBODY, Row, rows
from tests.servers import World

PRIVATE, PUBLIC = "Sockets, and a private room", "Sockets, and a public room"
ROWS = rows(PRIVATE, PUBLIC)
SILENT = ("typing", "active")  # they are answered only when they are refused


@pytest.fixture(scope="module")
def cast(embedded: World) -> Cast:
    """The people of all rows."""
    return Cast(embedded.server.url)


def paths() -> set[str]:
    """Return the paths of sockets as the tables write them, with their last slash."""
    routes = [
        str(entry.pattern)
        for entry in routing.websocket_urlpatterns
        if isinstance(entry, URLPattern) and isinstance(entry.pattern, RoutePattern)
    ]
    return {f"/{route.rstrip('/')}/".replace("<uuid:room_id>", "{room_id}") for route in routes}


def test_every_command_and_path_has_its_rows_and_every_row_its_command() -> None:
    there = commands.TABLE.keys() | protocol.OWN_COMMANDS.keys() | paths()
    assert {row.call for row in rows(PRIVATE)} == there
    about_rooms = {"subscribe", "unsubscribe", "typing", "/ws/rooms/{room_id}/", *commands.TABLE}
    assert {row.call for row in rows(PUBLIC)} == about_rooms
    assert all(tuple(row.cells) == EVERYBODY for row in rows(PRIVATE))


@pytest.mark.parametrize("row", ROWS, ids=str)
async def test_each_role_may_do_what_the_table_says(cast: Cast, row: Row) -> None:
    scene, found = None, {}
    for place in row.acted:
        scene = scene or Scene(cast, "public" if row.table == PUBLIC else "private")
        found[place] = await outcome(row, scene, cast.actor(place))
        if found[place] == "ok":
            scene = None  # what is refused changes nothing, so the next in turn finds it the same
    assert found == row.acted


async def outcome(row: Row, scene: Scene, actor: Person) -> str:
    """Do what a row says, on a socket of this person; return its cell."""
    path = row.call.format(room_id=scene.room) if row.call[0] == "/" else "/ws/"
    fields = fields_of(row, scene, actor)
    if not actor.tokens:
        async with Socket(f"{actor.ws}{path}") as socket:
            return answered(await socket.ask(row.call if row.call[0] != "/" else "ping", **fields))
    async with actor.socket(path) as socket:
        first = await socket.receive()
        if row.call == "/ws/" or first["type"] == "bye":
            return str(first.get("code", first["type"]))
        socket.positions[first["inbox"]["stream"]] = first["inbox"]["head"]
        if row.call[0] == "/":
            frame = await socket.receive()
            return str((await socket.closed())[1] if frame["refused"] else frame["type"])
        if row.call in SILENT:
            await socket.command(row.call, id=1, **fields)
            await socket.command("ping", id=2)
            reply = await socket.receive()
            return "none" if reply["type"] == "pong" else answered(reply)
        return answered(await socket.ask(row.call, **fields))


def fields_of(row: Row, scene: Scene, actor: Person) -> dict[str, Any]:
    """Return the fields of a row's command."""
    whom = scene.whom(row.case, actor)
    stream = whom.id if row.case.endswith("stream") else scene.room
    if row.call.startswith(("message.", "reaction.")) and row.case:
        said = {"message.edit": {"text": "changed"}, "message.delete": {}}
        more = said.get(row.call, {"emoji": "👍"})
        return {"message_id": scene.said_by(whom)["id"], **more}
    fields: dict[str, dict[str, Any]] = {
        "auth": {"token": whom.tokens["access"]},
        "subscribe": {"streams": {stream: None}},
        "unsubscribe": {"streams": [stream]},
        "message.send": {"room_id": scene.room, "text": "said"},
        "read": {"room_id": scene.room, "seq": 1},
        "history": {"room_id": scene.room},
        "typing": {"room_id": scene.room, "active": True},
        "active": {"active": False},
    }
    return fields.get(row.call, {})


def answered(reply: dict[str, Any]) -> str:
    """Return a reply as the tables write it."""
    refused = reply.get("refused", {})
    return str(next(iter(refused.values()), reply.get("code", reply["type"])))
