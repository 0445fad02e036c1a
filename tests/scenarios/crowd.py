"""Many people are in a room, who never do anything.

Usage: crowd ROOM COUNT. Prints how many have been added.
"""

import sys
import uuid

import django

django.setup()

from accounts.models import User
from api.rooms.models import Member, Room


def add(room_id: uuid.UUID, count: int) -> int:
    """Add so many people without an account of their own making."""
    people = User.objects.bulk_create([User(display_name="One of many") for _ in range(count)])
    Member.objects.bulk_create([Member(room_id=room_id, user=person) for person in people])
    Room.objects.filter(pk=room_id).update(member_count=Member.objects.filter(room=room_id).count())
    return len(people)


print(add(uuid.UUID(sys.argv[1]), int(sys.argv[2])))
