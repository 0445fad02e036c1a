"""Searching, in one database: the real messages, then many that are made up.

``python -m bench.search MESSAGES`` is run by ``bench.run`` once for each database, in an
environment that names it; prints what it has measured as JSON.
"""

import json
import random
import subprocess
import sys
import uuid
from datetime import UTC, datetime, timedelta
from itertools import accumulate
from urllib.parse import urlencode

import django

django.setup()

from django.db import connection, transaction

from api.messages.models import Message
from api.rooms.members import join_room
from api.rooms.models import Room
from bench import cast, rest, serving
from tests.servers import PROJECT

HISTORY = PROJECT.parent / "shared" / "data" / "ubuntu-irc.jsonl"
ROOMS, BUSY = 200, 20  # rooms of the made-up messages; every other message is in a busy one
WORDS, BATCH = 50_000, 5_000
REQUESTS = 30
BEGAN = datetime(2020, 1, 1, tzinfo=UTC)


class Searcher:
    """Somebody who searches, again and again for the same."""

    def __init__(self, server: serving.Serving, person: cast.Somebody) -> None:
        self._server, self._person = server, person

    def milliseconds(self, **params: str) -> float:
        """Return the median time of a search."""
        raw = rest.request("GET", f"/search?{urlencode(params)}", self._person.token)
        rest.load(self._server, lambda _: raw, clients=1, total=3)
        return rest.load(self._server, lambda _: raw, clients=1, total=REQUESTS).p50_ms


def real(server: serving.Serving) -> dict[str, float]:
    """Measure searches in the real messages, by somebody who is in all of their rooms."""
    command = [sys.executable, "manage.py", "import_history", str(HISTORY)]
    subprocess.run(command, cwd=PROJECT, check=True, capture_output=True)
    alice = cast.somebody()
    for room_id in Room.objects.filter(import_key__isnull=False).values_list("pk", flat=True):
        join_room(user_id=alice.user.id, room_id=room_id)
    searcher = Searcher(server, alice)
    return {
        "common word": searcher.milliseconds(q="ubuntu"),
        "rare word": searcher.milliseconds(q="soundblaster"),
        "phrase": searcher.milliseconds(q='"how do i"'),
        "beginning": searcher.milliseconds(q="inst*"),
        "by rank": searcher.milliseconds(q="ubuntu", order="rank"),
    }


def made_up(server: serving.Serving, count: int) -> dict[str, float]:
    """Measure searches in so many made-up messages, by members of all rooms and of one."""
    owner, quiet = cast.somebody(), cast.somebody()
    rooms = [cast.room_of(owner) for _ in range(ROOMS - 1)]
    rooms.append(cast.room_of(owner, quiet))
    _write(rooms, owner, count)
    all_rooms, one_room = Searcher(server, owner), Searcher(server, quiet)
    return {
        "common word": all_rooms.milliseconds(q="w0"),
        "middling word": all_rooms.milliseconds(q="w500"),
        "rare word": all_rooms.milliseconds(q="w40000"),
        "no such word": all_rooms.milliseconds(q="nothing"),
        "common words, once common only long ago": all_rooms.milliseconds(q="early"),
        "common and rare word": all_rooms.milliseconds(q="w0 w9999"),
        "phrase of common words": all_rooms.milliseconds(q='"w1 w0 w2"'),
        "beginning": all_rooms.milliseconds(q="w4*"),
        "exclusion": all_rooms.milliseconds(q="-w0"),
        "by rank": all_rooms.milliseconds(q="w1", order="rank"),
        "in a quiet room": all_rooms.milliseconds(q="w3", room=str(rooms[-2])),
        "common word, member of one quiet room": one_room.milliseconds(q="w0"),
        "rare word, member of one quiet room": one_room.milliseconds(q="w40000"),
    }


def _write(rooms: list[uuid.UUID], sender: cast.Somebody, count: int) -> None:
    """Write messages straight into the table; words as frequent as in a language (Zipf)."""
    chance = random.Random(12)
    words = [f"w{number}" for number in range(WORDS)]
    weights = list(accumulate(1 / (rank + 3) for rank in range(WORDS)))
    seqs = dict.fromkeys(rooms, 1000)
    for start in range(0, count, BATCH):
        made = []
        for number in range(start, min(start + BATCH, count)):
            room_id = chance.choice(rooms[: BUSY if number % 2 else ROOMS])
            seqs[room_id] += 1
            text = " ".join(chance.choices(words, cum_weights=weights, k=9))
            made.append(
                Message(
                    room_id=room_id,
                    seq=seqs[room_id],
                    changed_seq=seqs[room_id],
                    sender_id=sender.user.id,
                    text=text + (" early" if number < count // 5 else ""),
                    content_hash=b"",
                    created_at=BEGAN + timedelta(seconds=number),
                )
            )
        with transaction.atomic():
            Message.objects.bulk_create(made)
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("VACUUM ANALYZE api_message")


def main() -> None:
    """Measure and print."""
    with serving.gapless() as server:
        found = {"real": real(server)} if HISTORY.exists() else {}
        found["made up"] = made_up(server, int(sys.argv[1]))
    json.dump(found, sys.stdout)


if __name__ == "__main__":
    main()
