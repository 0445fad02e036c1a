"""Sends to several slow rooms at once, while their sender marks the same rooms as read.

Usage: sends_beside_read_markers OWNER SECONDS. Prints how much was done, and what failed.
"""

import json
import sys
import threading
import time
import uuid
from collections.abc import Callable

import django

django.setup()

from django.db import connections

from api.log import publish
from api.messages.schemas import Content
from api.messages.sending import Send, send_all
from api.rooms.actions import create_room, update_room
from api.rooms.schemas import CreateRoom, UpdateRoom
from api.sync.actions import mark_many_read

publish.bind(lambda _: None)


def slow_room(owner: uuid.UUID) -> uuid.UUID:
    """Make a room in which every word is noted in its sender's membership."""
    room = create_room(creator_id=owner, content=CreateRoom(name="slow", kind="private"))
    update_room(actor_id=owner, room_id=room.id, changes=UpdateRoom(slow_mode_seconds=1))
    return room.id


def main(owner: uuid.UUID, seconds: float) -> dict[str, object]:
    """Do it in three threads until the time is over."""
    rooms = [slow_room(owner) for _ in range(4)]
    end = time.monotonic() + seconds
    done = [0, 0, 0]
    failed: list[str] = []

    def again(place: int, act: Callable[[], list[object]]) -> None:
        while time.monotonic() < end:
            try:
                failed.extend(str(item) for item in act() if isinstance(item, Exception))
                done[place] += 1
            except Exception as error:  # noqa: BLE001  told to whoever asks
                failed.append(str(error))
        connections.close_all()

    def send(order: list[uuid.UUID]) -> list[object]:
        return list(send_all([Send(owner, room, Content(text="x")) for room in order]))

    def read(order: list[uuid.UUID]) -> list[object]:
        seqs = dict.fromkeys(order, 0)
        return list(mark_many_read(user_id=owner, seqs=dict.fromkeys(seqs, done[1])))

    acts: list[Callable[[], list[object]]] = [
        lambda: send(rooms),
        lambda: read(rooms),
        lambda: read(rooms[::-1]),
    ]
    threads = [threading.Thread(target=again, args=pair) for pair in enumerate(acts)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return {"did": all(done), "failed": failed}


if __name__ == "__main__":
    print(json.dumps(main(uuid.UUID(sys.argv[1]), float(sys.argv[2]))))
