"""Writes of imports: messages of elsewhere become proper parts of the log, each once."""

import contextlib
import hashlib
import uuid
from collections.abc import Mapping, Sequence
from enum import Enum, auto
from typing import NamedTuple

from django.db import IntegrityError

from accounts.models import User
from api.imports.people import speakers
from api.imports.schemas import Line
from api.log.append import Entry, append, lock, writing
from api.messages.content import content_hash
from api.messages.models import Message
from api.messages.schemas import Content
from api.rooms import membership, queries
from api.rooms.models import Kind, Member, Role, Room

RETRIES = 4  # of a batch, when others have just made the same room, people or usernames


class Fate(Enum):
    """What became of a line."""

    ADDED = auto()
    KNOWN = auto()  # it had been imported before
    DIFFERENT = auto()  # another message has its place
    CLOSED = auto()  # the room has been archived or deleted here
    UNANSWERED = auto()  # the message that it answers is not there


class _Mark(NamedTuple):
    """What a repeated message is compared by; erased people have no key any more."""

    person_key: str | None
    content_hash: bytes


class _Said(NamedTuple):
    id: uuid.UUID
    line: Line
    content: Content
    mark: _Mark


def import_messages(
    *, room_key: str, lines: Sequence[Line], owner: User | None = None
) -> list[Fate]:
    """Record messages of one room in one transaction, and tell what became of each.

    Publishes nothing: open sockets find it in the log. A room that is not there yet is
    made, and is the owner's.
    """
    for _ in range(RETRIES):
        with contextlib.suppress(IntegrityError), writing():
            return _record(room_key, lines, owner)
        # Somebody was faster: what they made is found the next time.
    with writing():
        return _record(room_key, lines, owner)


def message_id(room_id: uuid.UUID, n: int) -> uuid.UUID:
    """Return the id of the message at a place: a UUIDv7 of the room's age, always the same.

    So a place is found by primary key, whoever speaks there (RFC 9562, section 5.7).
    """
    digest = hashlib.sha256(room_id.bytes + str(n).encode()).digest()
    random = int.from_bytes(digest[:10])
    fixed = (1 << 80) - 1 - (0b11 << 62) - (0xF << 76)
    age = room_id.int >> 80 << 80
    return uuid.UUID(int=age | random & fixed | 7 << 76 | 0b10 << 62)


def _record(room_key: str, lines: Sequence[Line], owner: User | None) -> list[Fate]:
    room = _locked_room(room_key)
    if room is None:
        created_at = lines[0].at
        room = Room(kind=Kind.PUBLIC, name=room_key, import_key=room_key, created_at=created_at)
    marks = _marks(room, lines)
    fresh: list[_Said] = []
    fates = []
    for line in lines:
        said = _said(room, line)
        fate = _fate(room, said, marks)
        if fate is Fate.ADDED:
            marks[said.id] = said.mark
            fresh.append(said)
        fates.append(fate)
    if fresh:
        _write(room, fresh, owner)
    return fates


def _locked_room(room_key: str) -> Room | None:
    rooms = Room.objects.filter(import_key=room_key)
    room_id = rooms.values_list("pk", flat=True).first()
    if room_id is None:
        return None
    lock(room_id)
    return rooms.get()


def _marks(room: Room, lines: Sequence[Line]) -> dict[uuid.UUID, _Mark]:
    """Return what is there already at the places that these lines speak of."""
    places = {line.n for line in lines} | {line.reply_to for line in lines}
    ids = [message_id(room.id, n) for n in places if n is not None]
    found = Message.objects.filter(pk__in=ids)
    return {
        pk: _Mark(person_key, bytes(stored))
        for pk, person_key, stored in found.values_list("pk", "sender__import_key", "content_hash")
    }


def _said(room: Room, line: Line) -> _Said:
    content = Content(
        text=line.text,
        client_msg_id=f"import-{line.n}",
        reply_to_id=None if line.reply_to is None else message_id(room.id, line.reply_to),
    )
    mark = _Mark(line.person_key, content_hash(content))
    return _Said(message_id(room.id, line.n), line, content, mark)


def _fate(room: Room, said: _Said, marks: Mapping[uuid.UUID, _Mark]) -> Fate:
    before = marks.get(said.id)
    if before is not None:
        same = before in (said.mark, said.mark._replace(person_key=None))
        return Fate.KNOWN if same else Fate.DIFFERENT
    if room.deleted_at is not None or room.archived_at is not None:
        return Fate.CLOSED
    answered = said.content.reply_to_id
    return Fate.ADDED if answered is None or answered in marks else Fate.UNANSWERED


def _write(room: Room, fresh: Sequence[_Said], owner: User | None) -> None:
    people = speakers(said.line for said in fresh)
    newcomers = _newcomers(room, fresh, people)
    if room._state.adding:
        room.save(force_insert=True)
        if owner is not None:
            first = Member(room=room, user=owner, role=Role.OWNER, joined_at=room.created_at)
            newcomers.insert(0, first)
    seqs = _append(room, fresh, people, newcomers)
    for member in newcomers:
        member.joined_seq = member.read_seq = seqs["member", member.user_id]
    membership.settle(room, newcomers)
    Message.objects.bulk_create(
        _row(room, said, people[said.line.person_key], seqs["message", said.id]) for said in fresh
    )


def _newcomers(room: Room, fresh: Sequence[_Said], people: Mapping[str, User]) -> list[Member]:
    """Return the memberships of those who speak here for the first time, at that time."""
    members = Member.objects.filter(room=room, user__in=people.values())
    here = set(members.values_list("user_id", flat=True))
    here |= queries.bans_of(room.id, [user.id for user in people.values()]).keys()  # nor come in
    newcomers = {}
    for said in fresh:
        user = people[said.line.person_key]
        if user.id not in here and user.id not in newcomers:
            newcomers[user.id] = Member(
                room=room, user=user, role=Role.MEMBER, joined_at=said.line.at
            )
    return list(newcomers.values())


def _append(
    room: Room, fresh: Sequence[_Said], people: Mapping[str, User], newcomers: Sequence[Member]
) -> dict[tuple[str, uuid.UUID] | None, int]:
    """Record everything that happened, each at its own time; return the numbers by subject."""
    arrivals = {
        member.user_id: membership.arrival(member, actor_id=member.user_id) for member in newcomers
    }
    entries: list[Entry] = []
    told: list[Entry] = []

    def arrive(user_id: uuid.UUID) -> None:
        if user_id in arrivals:
            joined, added = arrivals.pop(user_id)
            entries.append(joined)
            told.append(added)

    for member in newcomers:
        if member.role == Role.OWNER:
            arrive(member.user_id)
    for said in fresh:
        user_id = people[said.line.person_key].id
        arrive(user_id)
        subject = ("message", said.id)
        entries.append(Entry(room.id, "message.created", user_id, subject=subject, at=said.line.at))
    return {event.entry.subject: event.seq for event in append([*entries, *told], silent=True)}


def _row(room: Room, said: _Said, sender: User, seq: int) -> Message:
    return Message(
        id=said.id,
        room=room,
        seq=seq,
        changed_seq=seq,
        sender=sender,
        text=said.content.text,
        client_msg_id=said.content.client_msg_id,
        content_hash=said.mark.content_hash,
        reply_to_id=said.content.reply_to_id,
        created_at=said.line.at,
    )
