"""The baseline's consumer: a group per room, JSON for every socket."""

import os
from typing import Any

import django

os.environ["DJANGO_SETTINGS_MODULE"] = "bench.textbook.settings"
django.setup()

from channels.generic.websocket import AsyncJsonWebsocketConsumer
from channels.routing import ProtocolTypeRouter, URLRouter
from django.core.asgi import get_asgi_application
from django.urls import path


class ChatConsumer(AsyncJsonWebsocketConsumer):
    """Everybody in the room gets what anybody says."""

    async def connect(self) -> None:
        await self.channel_layer.group_add("chat", self.channel_name)
        await self.accept()

    async def disconnect(self, code: int) -> None:
        await self.channel_layer.group_discard("chat", self.channel_name)

    async def receive_json(self, content: Any, **_: Any) -> None:
        await self.channel_layer.group_send("chat", {"type": "chat.message", "content": content})

    async def chat_message(self, event: dict[str, Any]) -> None:
        await self.send_json(event["content"])


application = ProtocolTypeRouter(
    {
        "http": get_asgi_application(),
        "websocket": URLRouter([path("ws/", ChatConsumer.as_asgi())]),
    }
)
