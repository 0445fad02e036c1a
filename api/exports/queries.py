"""Reads of all that is recorded about one person, a page at a time.

A page is one query, so it is consistent in itself, and begins where the last one ended: memory
does not grow with what there is, and no transaction is held open while a client reads.
"""

import uuid
from collections.abc import Callable, Iterator, Sequence
from typing import Any, TypeVar

from django.db.models import F, Model, Q, QuerySet

from accounts.models import Presence, Session, User
from accounts.schemas import me
from api.blocks.models import Block
from api.blocks.schemas import block_out
from api.codec import Payload
from api.drafts.models import Draft
from api.drafts.schemas import draft_out
from api.exports import schemas
from api.inbox.models import Notification
from api.inbox.schemas import notification_out
from api.invitations.models import Invite
from api.invitations.schemas import invite_out, request_out
from api.messages.models import Message, Participant, Reaction
from api.messages.queries import messages_with
from api.messages.schemas import MessageFact
from api.moderation.models import Report
from api.moderation.schemas import report_filed
from api.rooms.models import JoinRequest, Member
from api.scheduled.models import ScheduledMessage
from api.scheduled.schemas import scheduled_out
from api.uploads.models import Upload

PAGE = 500

Row = TypeVar("Row", bound=Model)
Found = tuple[str, Sequence[Payload]]  # of what kind these lines are


def everything_of(user_id: uuid.UUID) -> Iterator[Found]:
    """Yield all that is recorded about a person, in the order of an export."""
    yield "profile", [me(User.objects.get(pk=user_id))]
    for kind, query, key, show in _tables(user_id):
        for page in _pages(query, key):
            yield kind, [show(row) for row in page]
    for room_id in _rooms_written_in(user_id):
        yield from (("message", page) for page in _messages(user_id, room_id))
    for page in _reactions(user_id):
        yield "reaction", page


def _tables(
    user_id: uuid.UUID,
) -> Iterator[tuple[str, QuerySet[Any], str, Callable[[Any], Payload]]]:
    seen = Presence.objects.filter(user_id=user_id)
    yield "presence", seen, "pk", schemas.kept_presence
    yield "session", Session.objects.filter(user_id=user_id), "pk", schemas.kept_session
    rooms = Member.objects.filter(user_id=user_id).select_related("room")
    yield "membership", rooms, "room_id", schemas.membership
    threads = Participant.objects.filter(user_id=user_id)
    yield "thread", threads, "thread_id", schemas.read_thread
    blocks = Block.objects.filter(blocker_id=user_id).select_related("blocked")
    yield "block", blocks, "blocked_id", block_out
    asked = JoinRequest.objects.filter(user_id=user_id).select_related("user")
    yield "request", asked, "pk", request_out
    invited = Invite.objects.filter(creator_id=user_id).select_related("creator", "invited")
    yield "invite", invited, "pk", invite_out
    reported = Report.objects.filter(reporter_id=user_id)
    yield "report", reported, "pk", report_filed
    told = Notification.objects.filter(user_id=user_id).select_related("actor")
    yield "notification", told, "seq", notification_out
    drafts = Draft.objects.filter(user_id=user_id)
    yield "draft", drafts, "room_id", draft_out
    later = ScheduledMessage.objects.filter(sender_id=user_id)
    yield "scheduled", later, "pk", scheduled_out
    files = Upload.objects.filter(owner_id=user_id, stored=True, released_at=None)
    yield "file", files, "pk", schemas.sent_file


def _pages(query: QuerySet[Row, Any], key: str) -> Iterator[list[Row]]:
    """Yield what a query finds in pages, by a key that is unique in it."""
    ordered = query.order_by(key)
    page = list(ordered[:PAGE])
    while page:
        yield page
        last = getattr(page[-1], key)
        page = list(ordered.filter(**{f"{key}__gt": last})[:PAGE]) if len(page) == PAGE else []


def _rooms_written_in(user_id: uuid.UUID) -> list[uuid.UUID]:
    """Return the rooms that a person has said something in, also those they have left."""
    found = Message.objects.filter(sender_id=user_id).order_by("room_id")
    return list(found.values_list("room_id", flat=True).distinct())


def _messages(user_id: uuid.UUID, room_id: uuid.UUID) -> Iterator[list[MessageFact]]:
    said = Message.objects.filter(room_id=room_id, sender_id=user_id)
    for page in _pages(said.only("pk", "seq"), "seq"):
        facts = messages_with(message.pk for message in page)
        yield sorted(facts, key=lambda fact: fact.seq)


def _reactions(user_id: uuid.UUID) -> Iterator[list[schemas.GivenReaction]]:
    given = Reaction.objects.filter(user_id=user_id).order_by("message_id", "emoji")
    columns = given.annotate(room=F("message__room_id")).values_list("message_id", "room", "emoji")
    page = list(columns[:PAGE])
    while page:
        yield [schemas.GivenReaction(*row) for row in page]
        message_id, _, emoji = page[-1]
        later = Q(message_id__gt=message_id) | Q(message_id=message_id, emoji__gt=emoji)
        page = list(columns.filter(later)[:PAGE]) if len(page) == PAGE else []
