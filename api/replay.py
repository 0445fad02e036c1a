"""A part of a stream as it is now: its events, and bulk loads per kind of subject.

No old text is ever shown again: an event about something that may change shows that thing
as it is now. Events that have been overtaken by a later one of their kind are left out;
what they end is kept.

Whoever was put out in between does not see it: a change that was made after their removal
may be in what an event before it shows now.
"""

import uuid
from collections import defaultdict
from collections.abc import Callable, Container, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from accounts.queries import selves_by_id
from api.blocks.queries import blocks_as_written
from api.codec import INTEGER_MAX, Payload, instant
from api.drafts.queries import drafts_as_now
from api.inbox.queries import notifications_as_now
from api.log.frames import EventFrame, Frame, frame
from api.log.reading import Range, Recorded, endings_in, events_in
from api.log.snapshot import snapshot
from api.messages.queries import messages_as_now
from api.rooms.queries import Place, members_as_written, rooms_as_now
from api.scheduled.queries import scheduled_as_now
from api.sync.queries import preferences_as_now, rooms_as_members_see

Going = tuple[int, str]  # the number at which a user was put out
LOADED_AT_ONCE = 200  # of a page: what they are about may be large
Loader = Callable[[Sequence[Recorded]], dict[Place, Payload]]


def profiles_as_now(events: Sequence[Recorded]) -> dict[Place, Payload]:
    """Show the people whose profiles changed."""
    people = selves_by_id([event.subject_id for event in events])
    return {(event.stream_id, event.seq): people[event.subject_id] for event in events}


LOADERS: dict[str, Loader] = {
    "message": messages_as_now,
    "room": rooms_as_now,
    "member": members_as_written,
    "membership": rooms_as_members_see,
    "preferences": preferences_as_now,
    "draft": drafts_as_now,
    "scheduled": scheduled_as_now,
    "notification": notifications_as_now,
    "profile": profiles_as_now,
    "block": blocks_as_written,
}
ONLY_THE_LAST = {
    "read.moved",
    "thread.read",
    "me.updated",
    "preferences.updated",
    "draft.updated",
    "scheduled.updated",
    "presence.updated",
    "block.added",
    "block.removed",
}  # contract §3.3: the last of its kind


@dataclass(frozen=True)
class Replayed:
    """An event of the past: ``shown`` is None where it has been left out.

    What is shown is what became of it up to the number ``as_of`` of its stream.
    """

    seq: int
    shown: EventFrame | None
    ends: dict[str, Any] | None
    as_of: int

    def frame(self, stream: str, endings: Sequence[Going]) -> Frame:
        """Return the event as it travels to sockets."""
        if self.shown is None:
            return Frame(stream=stream, seq=self.seq, text=None, ends=self.ends)
        gone = {user: seq for seq, user in endings if self.seq < seq <= self.as_of}
        return frame(self.shown, ends=self.ends, withheld=gone or None)


def frames(ranges: Sequence[Range]) -> dict[str, list[Frame]]:
    """Return what happened in these parts of streams, in order, as it is now, for sockets."""
    if not ranges:
        return {}
    with snapshot():
        found = shown(events_in(ranges))
        later = _endings_behind(ranges, found)
    encoded = {}
    for stream, events in found.items():
        endings = [*_goings((event.seq, event.ends) for event in events), *later[stream]]
        encoded[str(stream)] = [event.frame(str(stream), endings) for event in events]
    return encoded


def _endings_behind(
    ranges: Sequence[Range], found: dict[uuid.UUID, list[Replayed]]
) -> dict[uuid.UUID, list[Going]]:
    """Return who was put out behind these parts, where what is shown reaches so far."""
    parts = []
    for part in ranges:
        reached = max((event.as_of for event in found.get(part.stream, ())), default=0)
        begin = max(part.to, part.granted)
        if reached > begin:
            parts.append(Range(part.stream, begin, reached))
    goings: dict[uuid.UUID, list[Going]] = defaultdict(list)
    for ending in endings_in(parts) if parts else ():
        goings[ending.stream_id] += _goings([(ending.seq, ending.ends)])
    return goings


def _goings(endings: Iterable[tuple[int, Any]]) -> list[Going]:
    return [(seq, user) for seq, ends in endings if ends for user in ends.get("users", ())]


def shown(events: Sequence[Recorded]) -> dict[uuid.UUID, list[Replayed]]:
    """Show these events, by stream; to be read in one snapshot with them."""
    found: dict[uuid.UUID, list[Replayed]] = defaultdict(list)
    for event, replayed in zip(events, _shown(events, _overtaken(events)), strict=True):
        found[event.stream_id].append(replayed)
    return dict(found)


def shown_one_by_one(events: Sequence[Recorded]) -> Iterator[Replayed]:
    """Show these events of a stream, a few being loaded at a time; in one snapshot with them."""
    overtaken = _overtaken(events)
    for start in range(0, len(events), LOADED_AT_ONCE):
        yield from _shown(events[start : start + LOADED_AT_ONCE], overtaken)


def _shown(events: Sequence[Recorded], overtaken: Container[Place]) -> Iterator[Replayed]:
    payloads = _payloads(events)
    for event in events:
        place = (event.stream_id, event.seq)
        data = None if place in overtaken else payloads.get(place)
        item = None if data is None else _event_frame(event, data)
        yield Replayed(event.seq, item, event.ends, _as_of(event, data))


def _as_of(event: Recorded, data: Any) -> int:
    if event.subject_kind == "room":
        return INTEGER_MAX  # it does not say when it was changed
    return int(getattr(data, "changed_seq", event.seq))


def _payloads(events: Sequence[Recorded]) -> dict[Place, Any]:
    by_kind: dict[str, list[Recorded]] = defaultdict(list)
    for event in events:
        by_kind[event.subject_kind].append(event)
    payloads: dict[Place, Any] = {}
    for kind, found in by_kind.items():
        if kind in LOADERS:
            payloads |= LOADERS[kind](found)
        else:
            payloads |= {(event.stream_id, event.seq): event.data for event in found}
    return payloads


def _overtaken(events: Sequence[Recorded]) -> set[Place]:
    last: dict[tuple[Any, ...], Place] = {}
    overtaken = set()
    for event in events:
        if event.type in ONLY_THE_LAST:
            key = (event.stream_id, event.type, event.subject_id)
            if key in last:
                overtaken.add(last[key])
            last[key] = (event.stream_id, event.seq)
    return overtaken


def _event_frame(event: Recorded, data: Any) -> EventFrame:
    return EventFrame(
        type=event.type,
        stream=event.stream_id,
        seq=event.seq,
        at=instant(event.at),
        actor_id=event.actor_id,
        data=data,
    )
