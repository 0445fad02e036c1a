"""The application, for any ASGI server: HTTP through the door, WebSockets to the consumers."""

import asyncio
import os
from typing import Any

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
django.setup()

from channels.routing import ProtocolTypeRouter

from api import upkeep
from config.addresses import addressed
from config.http import HttpDoor
from realtime import here
from realtime.auth import TokenAuth
from realtime.origin import OriginPolicy
from realtime.routing import router


async def lifespan(_: dict[str, Any], receive: Any, send: Any) -> None:
    """Start with the server and stop with it, where a server says so."""
    while True:
        message = await receive()
        if message["type"] == "lifespan.startup":
            here.current()
            upkeep.current().start()
            await send({"type": "lifespan.startup.complete"})
        else:
            await http.end()  # the last requests may still have news for the hub
            await asyncio.to_thread(upkeep.current().end)  # and so may a job
            await here.shut_down()
            await send({"type": "lifespan.shutdown.complete"})
            return


http = HttpDoor()
protocols = ProtocolTypeRouter(
    {
        "http": http,
        "websocket": OriginPolicy(TokenAuth(router)),
        "lifespan": lifespan,
    }
)


async def application(scope: dict[str, Any], receive: Any, send: Any) -> None:
    """Serve; servers without a lifespan begin with the first thing they serve."""
    if scope["type"] != "lifespan":
        here.current()
    if scope["type"] == "http":
        upkeep.current().start()
    if scope["type"] == "websocket":
        scope = addressed(scope)  # the HTTP door does this itself
    await protocols(scope, receive, send)
