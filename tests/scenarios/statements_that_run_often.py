"""Queries and inserts spelled out once, beside what the ORM makes of the same.

Usage: statements_that_run_often OWNER. Prints what differs, and what came of the inserts.
"""

import json
import sys
import uuid
from datetime import UTC, datetime
from typing import Any

import django

django.setup()

from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext

from accounts.models import User
from api.access import heads
from api.changes import Insertion
from api.log.heads import head_at
from api.log.models import Event, Stream
from api.rooms.models import Kind, Member, Room
from api.statements import Given, Instances, Rows, among

MANY = 300_000 // 6  # more values than one statement may have, on either database
MANY_STREAMS = 70_000  # the same, of one parameter each
TIMES = [
    datetime(2026, 1, 2, 3, 4, 5, 678_000, tzinfo=UTC),
    datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC),
    datetime(1970, 1, 1, tzinfo=UTC),
    datetime(9999, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC),
]


def rooms(owner: User) -> list[Room]:
    """Make rooms with everything in them that a column can hold."""
    made = [
        Room(kind=Kind.PRIVATE, name=f"%s '{n}' \\", metadata=value, created_at=at, archived_at=at)
        for n, (value, at) in enumerate(
            zip([None, {}, {"a": [1, None, "\u20ac"]}, [1.5]], TIMES, strict=True)
        )
    ]
    Room.objects.bulk_create(made)
    Member.objects.bulk_create(Member(room=room, user=owner, role=50) for room in made)
    return made


def rows_differ(made: list[Room]) -> list[Any]:
    """Return what a query of columns gives otherwise than the ORM."""
    columns = ("pk", "name", "metadata", "created_at", "archived_at", "frozen", "member_count")
    query = Rows(
        lambda *row: row,
        lambda: Room.objects.filter(among("pk", "ids")).order_by("pk").values_list(*columns),
    )
    ids = sorted(room.id for room in made)
    expected = list(Room.objects.filter(pk__in=ids).order_by("pk").values_list(*columns))
    found = [
        (query.all(ids=ids), expected),
        (query.all(ids=ids), expected),
        (query.all(ids=ids, limit=2), expected[:2]),
        (query.all(ids=[]), []),
        ([query.first(ids=ids)], expected[:1]),
        ([query.first(ids=[uuid.uuid4()])], [None]),
    ]
    return [pair for pair in found if pair[0] != pair[1]]


def instances_differ(owner: User) -> list[Any]:
    """Return what a query of models gives otherwise than the ORM, or asks for again."""

    def members() -> Any:
        with_head = Member.objects.select_related("room", "user").annotate(head=head_at("room_id"))
        return with_head.order_by("room_id")

    query = Instances[Any](lambda: members().filter(user_id=Given("user_id")))
    expected = list(members().filter(user_id=owner.id))
    query.all(user_id=owner.id)
    with CaptureQueriesContext(connection) as asked:
        found = query.all(user_id=owner.id)
        seen = [told(member) for member in found]
    differ = [pair for pair in zip(seen, map(told, expected), strict=True) if pair[0] != pair[1]]
    return differ + ([len(asked)] if len(asked) > 1 else [])


def told(member: Any) -> list[Any]:
    """Return all that an instance and what is joined to it say."""
    said = [(name, value) for name, value in vars(member).items() if name != "_state"]
    joined = [vars(model) for model in (member.room, member.user)]
    return [said, *([value for name, value in one.items() if name != "_state"] for one in joined)]


def inserted() -> dict[str, Any]:
    """Insert many rows, then some that are there already."""
    stream = uuid.uuid4()
    insertion = Insertion(Event, "stream_id", "seq", "type", "at", "subject_kind", "data")
    rows = [(stream, seq, "kind", TIMES[seq % 4], "", {"n": seq}) for seq in range(1, MANY + 1)]
    with transaction.atomic():
        insertion.run(rows)
    kept = Event.objects.filter(stream_id=stream)
    newest = kept.order_by("-seq").values_list("seq", "at", "data").first()
    try:
        with transaction.atomic():
            insertion.run(rows[:1])
        refused = False
    except IntegrityError:
        refused = True
    other = uuid.uuid4()
    with transaction.atomic():
        new = insertion.run_if_new([rows[0], (other, 1, "kind", TIMES[0], "", None), rows[1]])
    return {
        "count": kept.count(),
        "newest": newest == (MANY, TIMES[MANY % 4], {"n": MANY}),
        "refused": refused,
        "new": new == {other},
        "no row": insertion.run_if_new([]) == set(),
        "null": Event.objects.filter(stream_id=other, data__isnull=True).count(),
    }


if __name__ == "__main__":
    person = User.objects.get(pk=sys.argv[1])
    differences = rows_differ(rooms(person)) + instances_differ(person)
    last = Stream.objects.create(id=uuid.uuid4(), last_seq=7).id
    seen = heads([*(uuid.uuid4() for _ in range(MANY_STREAMS)), last])
    found = {"differ": differences, "inserted": inserted(), "heads": seen == {last: 7}}
    print(json.dumps(found, default=str))
