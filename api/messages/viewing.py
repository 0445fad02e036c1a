"""Messages as one person sees them: what everybody sees, and what is theirs.

What REST adds to a message is loaded here: reactions and threads, each for all messages of an
answer in one query, in the snapshot or the transaction in which those were read.
"""

import uuid
from collections import defaultdict
from collections.abc import Mapping, Sequence

from django.db.models import Exists, OuterRef
from msgspec.structs import asdict

from api.log.pages import Page
from api.messages import models
from api.messages.participation import threads_of
from api.messages.schemas import MessageFact, MessageList, MessageOut, Reaction, Thread
from api.statements import Given, Rows, among, parts

_mine = models.Reaction.objects.filter(
    message_id=OuterRef("message_id"), emoji=OuterRef("emoji"), user_id=Given("viewer_id")
)
_reactions = Rows(
    lambda message_id, *reaction: (message_id, Reaction(*reaction)),
    lambda: (
        models.ReactionKind.objects.filter(among("message_id", "ids"))
        .order_by("first_seq")
        .values_list("message_id", "emoji", "count", Exists(_mine))
    ),
)


def messages_as_seen(facts: Sequence[MessageFact], viewer_id: uuid.UUID) -> list[MessageOut]:
    """Show these messages to one person, in the same order."""
    reactions, threads = _reactions_on(facts, viewer_id), _threads_on(facts)
    return [
        MessageOut(
            **asdict(fact), reactions=reactions.get(fact.id, []), thread=threads.get(fact.id)
        )
        for fact in facts
    ]


def message_as_seen(fact: MessageFact, viewer_id: uuid.UUID) -> MessageOut:
    """Show a message to one person."""
    (seen,) = messages_as_seen([fact], viewer_id)
    return seen


def just_said(fact: MessageFact) -> MessageOut:
    """Show a message that nobody can have reacted or replied to yet."""
    return MessageOut(**asdict(fact), reactions=[], thread=None)


def page_as_seen(page: Page[MessageFact], viewer_id: uuid.UUID) -> MessageList:
    """Show a page of messages to one person."""
    return MessageList(items=messages_as_seen(page.items, viewer_id), **page.bounds())


def _reactions_on(
    facts: Sequence[MessageFact], viewer_id: uuid.UUID
) -> Mapping[uuid.UUID, list[Reaction]]:
    # To what nothing has happened since it was said, nobody has reacted; a tombstone has none.
    ids = [fact.id for fact in facts if fact.changed_seq > fact.seq and fact.deleted_at is None]
    found: dict[uuid.UUID, list[Reaction]] = defaultdict(list)
    for part in parts(ids):
        for message_id, reaction in _reactions.all(ids=part, viewer_id=viewer_id):
            found[message_id].append(reaction)
    return found


def _threads_on(facts: Sequence[MessageFact]) -> Mapping[uuid.UUID, Thread]:
    # Replies change nothing about their root: whether it has some is not to be seen in it.
    roots = [fact.id for fact in facts if fact.thread_id is None]
    found: dict[uuid.UUID, Thread] = {}
    for part in parts(roots):
        found |= threads_of(part)
    return found
