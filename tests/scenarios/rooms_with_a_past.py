"""Rooms in which much has happened that nobody was told of.

Usage: rooms_with_a_past OWNER EVENTS… Makes a room for each number, with so many events
in all, and prints the rooms' ids as a JSON list.
"""

import json
import sys
import uuid

import django

django.setup()

from accounts.models import User
from api.log.append import Entry, append, writing
from api.rooms.actions import create_room
from api.rooms.schemas import CreateRoom


def room_with(owner: User, events: int) -> uuid.UUID:
    """Make one; the first event is that its owner joined."""
    room = create_room(creator_id=owner.id, content=CreateRoom(name="past", kind="private"))
    data = {"ranges": [[1, 1]], "count": 1}
    past = [Entry(room.id, "messages.deleted", owner.id, data=data) for _ in range(events - 1)]
    if past:
        with writing():
            append(past, silent=True)
    return room.id


if __name__ == "__main__":
    person = User.objects.get(pk=sys.argv[1])
    print(json.dumps([str(room_with(person, int(events))) for events in sys.argv[2:]]))
