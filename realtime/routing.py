"""Which consumer serves which path of a WebSocket."""

from typing import Any, cast

from channels.routing import URLRouter
from django.urls import path, re_path

from realtime.close_codes import FORBIDDEN, NO_SUCH_ROOM
from realtime.consumers import ChatConsumer

_chat: Any = ChatConsumer.as_asgi()


async def _nowhere(scope: dict[str, Any], receive: Any, send: Any) -> None:
    """Answer a path that leads nowhere: accepted, and closed with a reason."""
    await _chat({"refused": FORBIDDEN} | scope, receive, send)


async def _no_room(scope: dict[str, Any], receive: Any, send: Any) -> None:
    """Answer what no room can be called: ids are opaque, so it is one that is not there."""
    await _chat({"refused": NO_SUCH_ROOM} | scope, receive, send)


websocket_urlpatterns = [
    path("ws", _chat),
    path("ws/", _chat),
    path("ws/rooms/<uuid:room_id>", _chat),
    path("ws/rooms/<uuid:room_id>/", _chat),
    re_path(r"^ws/rooms/[^/]+/?$", cast(Any, _no_room)),
    re_path(r"", cast(Any, _nowhere)),
]
router = URLRouter(websocket_urlpatterns)
