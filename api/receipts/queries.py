"""Reads of receipts: who has read a message, and lets others see it."""

import uuid

from django.db.models import Exists

from accounts.models import User
from accounts.schemas import PERSON_COLUMNS, Person
from api.messages.schemas import MessageFact
from api.rooms.models import Member
from api.statements import Given, Rows

_viewer_hides = Exists(User.objects.filter(pk=Given("viewer_id"), hide_receipts=True))
_readers = Rows(
    Person,
    lambda: (
        Member.objects.filter(
            ~_viewer_hides,
            room_id=Given("room_id"),
            read_seq__gte=Given("seq"),
            joined_seq__lt=Given("seq"),
            user__hide_receipts=False,
            user_id__gt=Given("after"),
        )
        .exclude(user_id=Given("sender_id"))
        .order_by("user_id")
        .values_list(*(f"user__{column}" for column in PERSON_COLUMNS))
    ),
)
_FIRST = uuid.UUID(int=0)


def readers_of(
    message: MessageFact, viewer_id: uuid.UUID, after: uuid.UUID | None, limit: int
) -> list[Person]:
    """Return members who have read up to a message, in the order of their ids.

    Who came after it was said has not read it, though their marker begins behind it. Who
    hides their receipts is not among them, and sees nobody's.
    """
    return _readers.all(
        limit=limit,
        viewer_id=viewer_id,
        room_id=message.room_id,
        seq=message.seq,
        sender_id=message.sender.id,
        after=after or _FIRST,
    )
