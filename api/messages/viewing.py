"""Messages as one person sees them: reactions and threads, as columns of the message's own row.

One statement sees one moment: what stands on a message is as true as the message, without a
snapshot around several of them.
"""

import uuid
from collections.abc import Sequence
from typing import Any

from django.db.models import Case, Exists, F, OuterRef, When
from msgspec.structs import astuple

from accounts.schemas import PERSON_COLUMNS, Person
from api.messages import models
from api.messages.schemas import COLUMNS, MessageFact, MessageOut, Reaction, Thread, fields_of
from api.statements import Given, Listed

USERS_MAX = 5  # of a thread, in its root


def seen_columns() -> tuple[Any, ...]:
    """Return the columns that ``message_seen`` takes; ``viewer_id`` is to be given."""
    return (*COLUMNS, _reactions(), _thread())


def _reactions() -> Case:
    mine = models.Reaction.objects.filter(
        message_id=OuterRef("message_id"), emoji=OuterRef("emoji"), user_id=Given("viewer_id")
    )
    kinds = models.ReactionKind.objects.filter(message_id=OuterRef("pk")).order_by("first_seq")
    listed = Listed(kinds, "emoji", "count", Exists(mine))
    # To what nothing has happened since it was said, nobody has reacted; a tombstone has none.
    return Case(When(changed_seq__gt=F("seq"), deleted_at=None, then=listed))


def _thread() -> Case:
    spoke = models.Participant.objects.filter(thread_id=OuterRef("pk"), replies__gt=0)
    people = (f"user__{column}" for column in PERSON_COLUMNS)
    listed = Listed(spoke.order_by("-last_seq")[:USERS_MAX], "thread__replies", "last_seq", *people)
    return Case(When(thread_id=None, then=listed))


def message_seen(*columns: Any) -> MessageOut:
    """Show a message to one person."""
    reactions, spoke = columns[-2:]
    return _seen(
        fields_of(columns[:-2]),
        [Reaction(emoji, count, bool(mine)) for emoji, count, mine in reactions or ()],
        _thread_of(spoke) if spoke else None,
    )


def _thread_of(spoke: Sequence[Sequence[Any]]) -> Thread:
    people = [
        Person(uuid.UUID(user_id), username, display_name, bool(is_bot), version)
        for _, _, user_id, username, display_name, is_bot, version in spoke
    ]
    count, last_seq, *_ = spoke[0]
    return Thread(count, last_seq, people)


def just_said(message: MessageFact) -> MessageOut:
    """Show a message that nobody can have reacted or replied to yet."""
    return _seen(astuple(message), [], None)


def _seen(fields: Sequence[Any], reactions: list[Reaction], thread: Thread | None) -> MessageOut:
    return MessageOut(*(*fields, reactions, thread))
