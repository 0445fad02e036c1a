"""Something is said between the permission to listen and the listening, and nothing after it.

Usage: said_before_listening ROOM OWNER MEMBER first|again. Prints the frames that the member's
connection is sent as it listens, for the first time or anew, as a JSON list, although nobody reads
heads from the log meanwhile.
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
from realtime import pool, repair
from realtime.connection import Connection
from realtime.hub import Hub
from realtime.subscription import Subscription
from tests.clients import until

DEADLINE_SECONDS = 15
NEVER = 3600.0  # seconds


async def run(room: uuid.UUID, owner: uuid.UUID, member: uuid.UUID, *, again: bool) -> list[Any]:
    """Play it, on real connections to the database."""
    repair.TICK_SECONDS = NEVER
    frames: list[Any] = []
    heard = asyncio.Event()

    async def send(message: dict[str, Any]) -> None:
        frames.append(json.loads(message["text"]))
        heard.set()

    hub = Hub()
    hub.start()
    hub.broker.want(str(room), 1)  # as for another stream of the same group
    connection = Connection(send)
    connection.user_id = str(member)

    def listen(head: int) -> None:
        hub.attach(connection, Subscription(str(room), head, granted=head), head)

    async with asyncio.timeout(DEADLINE_SECONDS):
        await asyncio.to_thread(until, lambda: hub.broker._joined)
        grant = (await pool.run(access.readable, member, uuid.uuid4(), [room]))[room]
        if again:
            listen(grant.head)
        said = Content(text="said meanwhile")
        await pool.run(send_message, sender_id=owner, room_id=room, content=said)
        if again:
            await heard.wait()
            hub.detach(connection, str(room))
        await asyncio.to_thread(until, lambda: hub._passed)
        frames.clear()
        heard.clear()
        listen(grant.head)
        await heard.wait()
    await hub.stop()
    return frames


if __name__ == "__main__":
    ids = [uuid.UUID(argument) for argument in sys.argv[1:4]]
    print(json.dumps(asyncio.run(run(*ids, again=sys.argv[4] == "again"))))
