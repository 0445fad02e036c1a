"""A member is removed between the permission to listen and the listening.

Usage: removed_before_listening ROOM OWNER MEMBER. Prints the frames that the member's
connection is sent, as a JSON list, once it has been told that it is over.
"""

import asyncio
import json
import sys
import uuid
from typing import Any

import django

django.setup()

from api import access
from api.messages.actions import send_message
from api.messages.schemas import Content
from api.rooms.members import remove_member
from realtime import pool
from realtime.connection import Connection
from realtime.hub import Hub
from realtime.replaying import Replay
from realtime.subscription import Subscription

DEADLINE_SECONDS = 15


async def run(room: uuid.UUID, owner: uuid.UUID, member: uuid.UUID) -> list[Any]:
    """Play it, on real connections to the database."""
    frames: list[Any] = []
    over = asyncio.Event()

    async def send(message: dict[str, Any]) -> None:
        frames.append(json.loads(message["text"]))
        if frames[-1]["type"] == "unsubscribed":
            over.set()

    hub = Hub()
    hub.start()
    connection = Connection(send)
    connection.user_id = str(member)
    replay = Replay(hub, connection)

    grant = (await pool.run(access.readable, member, uuid.uuid4(), [room]))[room]
    await pool.run(remove_member, actor_id=owner, room_id=room, user_id=member)
    await pool.run(send_message, sender_id=owner, room_id=room, content=Content(text="secret"))
    subscription = Subscription(str(room), grant.head, granted=grant.head)
    hub.attach(connection, subscription, grant.head)
    replay.resume()

    await asyncio.wait_for(over.wait(), DEADLINE_SECONDS)
    await pool.run(send_message, sender_id=owner, room_id=room, content=Content(text="later"))
    await hub.repair.read_heads([str(room)])
    await hub.stop()
    return frames


if __name__ == "__main__":
    ids = [uuid.UUID(argument) for argument in sys.argv[1:]]
    print(json.dumps(asyncio.run(run(*ids))))
