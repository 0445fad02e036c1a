"""What is written down of a person's presence: how they want to be seen, when they last were."""

import uuid
from collections.abc import Iterable
from datetime import datetime
from typing import NamedTuple, cast

from accounts import sessions
from accounts.erasure import none_is_erased
from accounts.models import Presence, User
from accounts.schemas import (
    PERSON_COLUMNS,
    Choice,
    ChoosePresence,
    Person,
    PresenceChoice,
)
from api.codec import Instant, instant_or_none, plain
from api.errors import SessionRevoked
from api.log.append import Entry, append, writing
from api.statements import Rows, among, parts

ROWS_AT_ONCE = 500  # in one statement; others write in between


class Seen(NamedTuple):
    """A person, and when they were last seen; None where that is not known, or hidden."""

    person: Person
    last_seen_at: Instant | None


def _seen_of(last_seen_at: datetime | None, hidden: bool | None, *columns: object) -> Seen:
    moment = None if hidden else last_seen_at
    return Seen(Person(*columns), instant_or_none(moment))  # type: ignore[arg-type]  # in order


_seen = Rows(
    _seen_of,
    lambda: User.objects.filter(among("pk", "ids")).values_list(
        "presence__last_seen_at", "presence__hide_last_seen", *PERSON_COLUMNS
    ),
)
_choices = Rows(
    lambda user_id, status: (user_id, status),
    lambda: Presence.objects.filter(among("user_id", "ids")).values_list("user_id", "status"),
)


def seen(ids: Iterable[uuid.UUID]) -> dict[uuid.UUID, Seen]:
    """Return these people as others may see them."""
    return {found.person.id: found for part in parts(ids) for found in _seen.all(ids=part)}


def choices_of(ids: Iterable[uuid.UUID]) -> dict[uuid.UUID, Choice]:
    """Return how these people want to be seen; who has never said so is absent."""
    return {user: choice for part in parts(ids) for user, choice in _choices.all(ids=part)}


def choice_of(user_id: uuid.UUID) -> PresenceChoice:
    """Return how a person wants to be seen."""
    found = Presence.objects.filter(user_id=user_id).first() or Presence(user_id=user_id)
    return PresenceChoice(status=cast(Choice, found.status), hide_last_seen=found.hide_last_seen)


def choose(*, user_id: uuid.UUID, wanted: ChoosePresence) -> PresenceChoice:
    """Change how a person is seen, on all their devices; what is absent stays.

    Raises:
        SessionRevoked: they have been erased meanwhile.
    """
    with writing():
        sessions.hold(user_id)
        if not none_is_erased([user_id]):
            raise SessionRevoked
        before = choice_of(user_id)
        hide = (
            before.hide_last_seen
            if not isinstance(wanted.hide_last_seen, bool)
            else wanted.hide_last_seen
        )
        after = PresenceChoice(status=wanted.status, hide_last_seen=hide)
        if after != before:
            Presence.objects.update_or_create(
                user_id=user_id, defaults={"status": after.status, "hide_last_seen": hide}
            )
            append([Entry(user_id, "presence.updated", user_id, data=plain(after))])
    return after


def note_seen(ids: Iterable[uuid.UUID], moment: datetime) -> None:
    """Write down that these people were seen; nothing is kept of who has been erased."""
    left = sorted(ids)  # who writes of the same people at once waits, and not in a circle
    for start in range(0, len(left), ROWS_AT_ONCE):
        part = left[start : start + ROWS_AT_ONCE]
        with writing():
            known = set(
                User.objects.filter(pk__in=part, erased_at=None).values_list("pk", flat=True)
            )
            rows = [Presence(user_id=user, last_seen_at=moment) for user in part if user in known]
            Presence.objects.bulk_create(
                rows,
                update_conflicts=True,
                unique_fields=["user"],
                update_fields=["last_seen_at"],
            )
