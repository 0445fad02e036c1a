"""People and rooms for the bench, made through the service's own code."""

import itertools
import uuid
from typing import NamedTuple

from django.db import connection

from accounts import actions, sessions
from accounts.models import User
from api.log.append import writing
from api.rooms.actions import create_room
from api.rooms.schemas import CreateRoom

_numbers = itertools.count(1)


class Somebody(NamedTuple):
    """A user with an access token."""

    user: User
    token: str


def somebody() -> Somebody:
    """Make an account and sign it in."""
    found = actions.register(
        username=f"bench-{next(_numbers)}-{uuid.uuid4().hex[:8]}",
        password=uuid.uuid4().hex,
        display_name="Bench",
        device="bench",
        address="127.0.0.1",
    )
    return Somebody(found.session.user, found.access)


def device_of(somebody: Somebody) -> Somebody:
    """Sign somebody in on another device."""
    with writing():
        found = sessions.begin(somebody.user, device="bench", address="127.0.0.1")
    return Somebody(somebody.user, found.access)


def room_of(owner: Somebody, *others: Somebody) -> uuid.UUID:
    """Make a private room with these people in it."""
    content = CreateRoom(
        name="bench", kind="private", member_ids=[other.user.id for other in others]
    )
    return create_room(creator_id=owner.user.id, content=content).id


def fill(room_id: uuid.UUID, sender: Somebody, count: int) -> None:
    """Write so many messages into a room, and their events, straight into PostgreSQL."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT last_seq FROM api_stream WHERE id = %s", [room_id])
        (head,) = cursor.fetchone()
        cursor.execute(
            """INSERT INTO api_message (id, room_id, seq, changed_seq, sender_id, text,
                                        content_hash, created_at)
               SELECT gen_random_uuid(), %(room)s, n, n, %(sender)s,
                      'message number ' || n || ' of a long conversation', '', now()
               FROM generate_series(%(first)s, %(last)s) AS n""",
            {
                "room": room_id,
                "sender": sender.user.id,
                "first": head + 1,
                "last": head + count,
            },
        )
        cursor.execute(
            """INSERT INTO api_event (stream_id, seq, type, at, actor_id, subject_kind, subject_id)
               SELECT room_id, seq, 'message.created', created_at, sender_id, 'message', id
               FROM api_message WHERE room_id = %s AND seq > %s""",
            [room_id, head],
        )
        cursor.execute("UPDATE api_stream SET last_seq = %s WHERE id = %s", [head + count, room_id])
        cursor.execute("ANALYZE api_message")
