"""Sending: what is said at the same moment shares one transaction, and is judged one by one.

The streams are locked and numbered first and permission is read after that, so a member who
is removed while their send waits for the lock writes nothing (docs/decisions/0001). A message
that is refused must not take a number: then all is rolled back, and done again without it.
"""

import uuid
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple

import uuid_utils.compat as uuid_utils
from django.conf import settings
from msgspec.structs import astuple

from accounts.schemas import Person, person
from api import metrics
from api.changes import Insertion
from api.clock import now
from api.errors import (
    ChatError,
    Conflict,
    NotFound,
    RateLimited,
)
from api.inbox import message_notices
from api.log.append import Entry, Numbered, StreamsClosed, append, writing
from api.mentions import recording
from api.mentions.queries import Resolved, Said, resolved
from api.mentions.schemas import stored
from api.messages import telling
from api.messages.answering import Named, check_answers, named_by
from api.messages.attaching import Files
from api.messages.content import check_content, content_hash
from api.messages.models import Message
from api.messages.pace import note_sent
from api.messages.participation import Reply, note_replies
from api.messages.repetition import sent_before
from api.messages.schemas import Content, MessageFact, Sent, message_fact
from api.rooms import permissions
from api.rooms import queries as rooms
from api.rooms.filtering import filtered
from api.rooms.models import Member, Room
from api.rooms.queries import Standing
from api.uploads.schemas import kept as files_stored


class Send(NamedTuple):
    """Something that somebody wants to say in a room."""

    sender_id: uuid.UUID
    room_id: uuid.UUID
    content: Content

    @property
    def standing(self) -> Standing:
        """In which room, and by whom."""
        return self.room_id, self.sender_id


Outcome = Sent | Exception


class _Refused(Exception):
    """Some of what was to be written is not; nothing has been."""

    def __init__(self, outcomes: Mapping[int, Outcome]) -> None:
        self.outcomes = outcomes
        super().__init__()


class _Draft(NamedTuple):
    """A send on its way: at which place of the answer, and the message's id."""

    place: int
    send: Send
    id: uuid.UUID
    text: str  # as the room lets it through

    def entry(self) -> Entry:
        room_id, sender_id = self.send.standing
        return Entry(room_id, "message.created", sender_id, subject=("message", self.id))

    def row(self, seq: int, moment: datetime, found: Resolved, files: Files) -> tuple[Any, ...]:
        (sender_id, room_id, said), known_by = self.send, content_hash(self.send.content)
        return (
            *(self.id, room_id, seq, seq, sender_id, self.text, said.metadata),
            *(said.client_msg_id, known_by, said.reply_to_id, said.thread_id, moment),
            *(stored(found.mentions), files_stored(files.of(self.id))),
        )

    def let_into(self, room: Room) -> "_Draft":
        return self._replace(text=filtered(room, self.text))

    def spoken(self, seq: int, found: Resolved) -> recording.Spoken:
        room_id, sender_id = self.send.standing
        return recording.Spoken(room_id, seq, sender_id, found.mentions)

    def fact(
        self, seq: int, moment: datetime, sender: Person, found: Resolved, files: Files
    ) -> MessageFact:
        said = self.send.content
        return message_fact(
            *(self.id, self.send.room_id, seq, seq, *astuple(sender), self.text, said.metadata),
            *(said.client_msg_id, said.reply_to_id, said.thread_id, moment, None, None, False),
            *(stored(found.mentions), files_stored(files.of(self.id))),
        )


_insertion = Insertion(
    Message,
    *("id", "room_id", "seq", "changed_seq", "sender_id", "text", "metadata"),
    *("client_msg_id", "content_hash", "reply_to_id", "thread_id", "created_at", "mentions"),
    "attachments",
)


def send_all(sends: Sequence[Send]) -> list[Outcome]:
    """Say all this, each for itself; return what comes of each, in the same order.

    An outcome that is an error is one that ``actions.send_message`` raises, or whatever the
    database said of its transaction.
    """
    outcomes: dict[int, Outcome] = {}
    for place, send in enumerate(sends):
        try:
            check_content(send.content)
        except ChatError as error:
            outcomes[place] = error
    while drafts := _next_round(sends, outcomes):
        try:
            outcomes |= _write(drafts)
        except _Refused as refused:
            outcomes |= refused.outcomes
        except StreamsClosed as closed:
            gone = [draft for draft in drafts if draft.send.room_id in closed.streams]
            outcomes |= {draft.place: NotFound() for draft in gone}
        except Exception as error:  # noqa: BLE001  what an earlier round has committed stays said
            outcomes |= {draft.place: error for draft in drafts}
    return [outcomes[place] for place in range(len(sends))]


def _next_round(sends: Sequence[Send], outcomes: Mapping[int, Outcome]) -> list[_Draft]:
    """Return what to write now, in the order of locks; what is there twice waits."""
    drafts, keys = [], set()
    for place, send in enumerate(sends):
        key = (send.standing, send.content.client_msg_id or place)
        if place not in outcomes and key not in keys:
            keys.add(key)
            drafts.append(_Draft(place, send, uuid_utils.uuid7(), send.content.text))
    return sorted(drafts, key=lambda draft: draft.send.room_id)


@dataclass
class _Round:
    """What is written in one transaction, and what was found out for it under the locks."""

    drafts: Sequence[_Draft]
    moment: datetime
    members: Mapping[Standing, Member] = field(default_factory=dict)
    there: Mapping[uuid.UUID, Named] = field(default_factory=dict)
    named: Sequence[Resolved] = ()
    told: Sequence[message_notices.Notice] = ()
    files: Files = field(default_factory=Files)

    def judged(self, events: Sequence[Numbered]) -> list[Entry]:
        """Find out who may send, whom each names and whom it is told to; return who is told."""
        members = rooms.members_in({draft.send.standing for draft in self.drafts})
        self.members, self.there = members, named_by(draft.send.content for draft in self.drafts)
        files = {file for draft in self.drafts for file in draft.send.content.attachment_ids}
        self.files = Files(files)
        _refuse(_refusals(self.drafts, members, self.moment, self.there, self.files))
        self.drafts = [draft.let_into(members[draft.send.standing].room) for draft in self.drafts]
        self.named = resolved([Said(draft.send.room_id, draft.text) for draft in self.drafts])
        words = map(self._word, self.drafts, events, self.named)
        self.told = telling.notices(list(words), self.moment)
        return [notice.entry() for notice in self.told]

    def _word(self, draft: _Draft, event: Numbered, found: Resolved) -> telling.Word:
        said, sender = draft.send.content, self.members[draft.send.standing]
        answered = [self.there[name] for name in (said.reply_to_id, said.thread_id) if name]
        authors = {message.sender_id for message in answered if message.deleted_at is None}
        return telling.Word(draft.id, event.seq, sender, found.mentions, authors, said.thread_id)


def _write(drafts: Sequence[_Draft]) -> dict[int, Outcome]:
    moment = now()
    this = _Round(drafts, moment)
    with writing():
        recorded = append([draft.entry() for draft in drafts], at=moment, then=this.judged)
        events, told = recorded[: len(drafts)], recorded[len(drafts) :]
        numbered, files = list(zip(this.drafts, events, this.named, strict=True)), this.files
        lost = files.hold()
        _refuse({draft.place: lost[draft.id] for draft in drafts if draft.id in lost})
        kept = _insertion.run_if_new(
            [draft.row(event.seq, moment, found, files) for draft, event, found in numbered]
        )
        _refuse(
            {
                draft.place: sent_before(*draft.send) or Conflict()
                for draft in drafts
                if draft.id not in kept
            }
        )
        recording.record(draft.spoken(event.seq, found) for draft, event, found in numbered)
        note_replies(_replies(drafts, events, this.there))
        note_sent(this.members.values())
        message_notices.keep(this.told, told, moment)
        outcomes: dict[int, Outcome] = {}
        for draft, event, found in numbered:
            sender = person(this.members[draft.send.standing].user)
            fact = draft.fact(event.seq, moment, sender, found, files)
            files.keep(draft.id, draft.send.room_id)
            event.show(fact)
            outcomes[draft.place] = Sent(message=fact, replayed=False, warnings=found.warnings)
    metrics.messages_sent.inc(len(drafts))
    return outcomes


def _refuse(outcomes: Mapping[int, Outcome]) -> None:
    if outcomes:
        raise _Refused(outcomes)


def _replies(
    drafts: Iterable[_Draft], events: Iterable[Numbered], there: Mapping[uuid.UUID, Named]
) -> Iterator[Reply]:
    for draft, event in zip(drafts, events, strict=True):
        if draft.send.content.thread_id is not None:
            root = there[draft.send.content.thread_id]
            yield Reply(root, event.seq, draft.send.sender_id)


def _refusals(
    drafts: Sequence[_Draft],
    members: Mapping[Standing, Member],
    moment: datetime,
    there: Mapping[uuid.UUID, Named],
    files: Files,
) -> Mapping[int, Outcome]:
    refusals: dict[int, Outcome] = {}
    for draft in drafts:
        refused = _refusal(draft, members.get(draft.send.standing), moment, there, files)
        if refused is not None:
            refusals[draft.place] = refused
    return _without_wrongly_limited(drafts, refusals)


def _without_wrongly_limited(
    drafts: Sequence[_Draft], refusals: Mapping[int, Outcome]
) -> Mapping[int, Outcome]:
    """Judge again who had no room left, when some of it was taken by repetitions."""
    limited = {place: found for place, found in refusals.items() if isinstance(found, RateLimited)}
    if not limited:
        return refusals
    senders = {draft.send.standing for draft in drafts if draft.place in limited}
    repeated: dict[int, Outcome] = {}
    for draft in drafts:
        if draft.place not in refusals and draft.send.standing in senders:
            known = sent_before(*draft.send)
            repeated |= {draft.place: known} if known else {}
    if not repeated:
        return refusals
    return {place: found for place, found in refusals.items() if place not in limited} | repeated


def _refusal(
    draft: _Draft,
    member: Member | None,
    moment: datetime,
    there: Mapping[uuid.UUID, Named],
    files: Files,
) -> Outcome | None:
    """Say what becomes of what is not to be written; None when it is."""
    send = draft.send
    if member is None:
        return rooms.refusal(send.room_id)
    if member.room.slow_mode_seconds and (known := sent_before(*send)):
        return known  # what is not said now slows nothing down
    try:
        permissions.check_may_send(member.room, member, moment)
        filtered(member.room, send.content.text)
        check_answers(send.room_id, send.content, there)
        rate = settings.LIMITS.sends
        slot = permissions.slot_after_sending(member, moment, rate) if rate else moment
        files.take(draft.id, send.sender_id, send.content.attachment_ids)
    except ChatError as error:
        return sent_before(*send) or error
    # for what they say next, also in this transaction
    member.last_sent_at, member.send_slot = moment, slot
    return None
