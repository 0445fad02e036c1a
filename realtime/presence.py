"""Who is here: out of the sockets of all processes, told to those who are in the same rooms.

One loop does everything, round by round: what has changed here is told to the other processes,
what they tell is heard, and of both the rooms are told that somebody here listens to, each once
a second. So a thousand people who come at once are one round, not a thousand.
"""

import asyncio
import logging
import uuid
from collections.abc import Collection, Iterable, Mapping
from typing import Any

from django.conf import settings

from accounts import presence
from accounts.presence import Seen
from api import access
from api.clock import now
from api.signs import sign_of
from realtime import moments, pool
from realtime.attendance import Attendance, Status, most_present, over_at
from realtime.connection import Connection
from realtime.feed import Deliver
from realtime.hub import Hub, Place
from realtime.protocol import wire
from realtime.roster import LocalRoster, Roster
from realtime.shared_roster import SharedRoster
from realtime.subscription import Subscription
from realtime.watching import Watching
from realtime.wire import Wire

ROUND_SECONDS = 0.25  # from one's own to the others' two of them: within promise P8
ABSENT_SECONDS = 2.0  # between two looks at how those want to be seen who hear of nothing
SEEN_SECONDS = 60.0  # between two notes of when somebody was last seen

log = logging.getLogger(__name__)


class Presence:
    """The presence of all people, as one process knows it."""

    def __init__(self, hub: Hub) -> None:
        url, prefix = settings.ENV.redis_url, settings.ENV.redis_prefix
        self._hub, self._loop = hub, asyncio.get_running_loop()
        self._attendance, self._watching = Attendance(), Watching()
        self._roster: Roster = SharedRoster(url, prefix) if url else LocalRoster()
        self._own: dict[str, Status] = {}  # as the others are told
        self._statuses: dict[str, Status] = {}  # of all processes together
        self._people: dict[str, Seen] = {}  # for a minute; the higher version is true
        self._newcomers: dict[Place, Subscription] = {}
        self._noted_at = self._looked_at = self._loop.time()

    def status(self, user: str) -> Status | None:
        """Return how a person is seen; None is offline. From any thread."""
        return self._statuses.get(user)

    def present(self) -> list[str]:
        """Return who is not offline. From any thread."""
        return list(self._statuses)

    # --- what sockets do ------------------------------------------------------------------

    def opened(self, connection: Connection) -> None:
        """Count a socket whose user is known now."""
        self._attendance.opened(connection.user_id, connection.id)

    def in_front(self, connection: Connection, *, active: bool) -> None:
        """Note whether the application is what the person looks at."""
        self._attendance.in_front(connection.user_id, connection.id, active)

    def ended(self, connection: Connection, *, clean: bool) -> None:
        """Count a socket no more; one that ended without a word, not yet."""
        until = over_at(self._loop.time(), clean=clean, heard_at=connection.heard_at)
        self._attendance.ended(connection.user_id, connection.id, until)

    # --- what the hub tells ---------------------------------------------------------------

    def attached(self, connection: Connection, subscription: Subscription) -> None:
        """Have somebody told who is present in a room."""
        if subscription.ephemeral and subscription.stream != connection.user_id:
            self._watching.watch(subscription.stream)
            self._newcomers[connection, subscription.stream] = subscription

    def detached(self, connection: Connection, stream: str) -> None:
        """Watch no room that nobody listens to."""
        self._newcomers.pop((connection, stream), None)
        if self._hub.position(stream) is None:
            self._watching.forget(stream)

    def news(self, stream: str, run: Deliver) -> None:
        """Look again when people have come or gone, or want to be seen otherwise."""
        if stream not in self._watching.rooms and not self._attendance.knows(stream):
            return
        for frame in run.frames:
            if frame.text is not None:
                sign = sign_of(frame.text)
                if sign.of_people:
                    self._watching.people_changed(stream)
                elif sign.of_presence:
                    self._attendance.choice_changed(stream)

    def heard(self, said: Mapping[str, Any]) -> None:
        """Nothing of this goes over the channel layer."""

    # --- round by round -------------------------------------------------------------------

    async def run(self) -> None:
        """Do all of it, for as long as the process lives."""
        try:
            while True:
                await asyncio.sleep(ROUND_SECONDS)
                try:
                    await self._round()
                except Exception as error:  # noqa: BLE001  the database is away: the next round goes on
                    log.warning("presence waits: %s", type(error).__name__)
        finally:
            await self._roster.close()

    async def _round(self) -> None:
        for user in await self._share():
            self._combine(user)
        present = self._loop.time()
        await self._read_members(present)
        await self._show(present)
        if present >= self._noted_at + SEEN_SECONDS:
            self._noted_at = present
            self._people.clear()
            self._hub.tasks.spawn(self._note(self._attendance.visible()))  # may take its time

    def _combine(self, user: str) -> None:
        """Look how a person is seen, here and elsewhere, and have it told if it is new."""
        own = self._own.get(user)
        seen = most_present([*self._roster.elsewhere(user), *([own] if own else ())])
        if seen == self._statuses.get(user):
            return
        if seen is None:
            del self._statuses[user]
        else:
            self._statuses[user] = seen
        self._people.pop(user, None)
        self._watching.moved(user, present=seen is not None)

    async def _share(self) -> set[str]:
        """Tell the others what has changed here; return who is seen otherwise, anywhere."""
        self._attendance.expire(self._loop.time())
        await self._decide()
        moved = self._attendance.moved()
        changes = {user: seen for user, seen in moved.items() if seen != self._own.get(user)}
        gone = [user for user, seen in changes.items() if seen is None]
        self._own |= {user: seen for user, seen in changes.items() if seen is not None}
        for user in gone:
            del self._own[user]
        self._roster.tell(changes)
        if gone:
            await self._note(gone)
        return changes.keys() | await self._roster.exchange()

    async def _decide(self) -> None:
        """Ask how those want to be seen of whom it is not known, or may be another way by now."""
        if self._loop.time() >= self._looked_at + ABSENT_SECONDS:
            self._looked_at = self._loop.time()
            for user in self._attendance.absent():
                self._attendance.choice_changed(user)
        undecided = self._attendance.asking()
        if undecided:
            try:
                choices = await pool.run_for_all(presence.choices_of, _ids(undecided))
            except Exception as error:  # noqa: BLE001  the others are told of all the same
                log.warning("who comes waits to be seen: %s", type(error).__name__)
                return
            for user in undecided:
                self._attendance.chosen(user, choices.get(uuid.UUID(user), "online"))

    async def _note(self, users: Collection[str]) -> None:
        """Write down that they were seen last now; of who goes, before anybody asks."""
        try:
            await pool.run_for_all(presence.note_seen, _ids(users), now())
        except Exception as error:  # noqa: BLE001  how they are seen is told all the same
            log.warning("last seen is not noted: %s", type(error).__name__)

    async def _read_members(self, present: float) -> None:
        streams = self._watching.unread(present)
        if not streams:
            return
        self._watching.reading(streams, present)
        try:
            found = await pool.run_for_all(
                access.people_in, [uuid.UUID(stream) for stream in streams]
            )
        except Exception:  # whatever it is: they are read again by the next round
            for stream in streams:
                self._watching.people_changed(stream)
            raise
        for stream in streams:
            people = found.get(uuid.UUID(stream), set())
            self._watching.read(stream, people, lambda user: self.status(user) is not None)

    # --- frames ---------------------------------------------------------------------------

    async def _show(self, present: float) -> None:
        """Tell the rooms what has changed, and whoever is new in one who is there."""
        newcomers = {
            place: subscription
            for place, subscription in self._newcomers.items()
            if subscription.live and self._watching.known(place[1])
            if self._attendance.settled(place[0].user_id)  # so that they find themselves in it
        }
        due = self._watching.due(present)
        arrived = {stream for _, stream in newcomers}
        await self._read_people(self._watching.people_of(due, arrived))
        for stream in due:
            self._tell(stream, present)
            await asyncio.sleep(0)  # others have their turn
        for stream, connections in _by_room(newcomers).items():
            self._greet(stream, connections)  # last: it holds the changes already
            await asyncio.sleep(0)

    def _greet(self, stream: str, connections: Iterable[Connection]) -> None:
        """Tell newcomers of all who are here, as far as they are there still."""
        if self._watching.known(stream):
            frame = self._frame(stream, self._watching.here(stream))
            for connection in connections:
                place = connection, stream
                if place in self._newcomers and connection.offer(frame):
                    del self._newcomers[place]

    def _tell(self, stream: str, present: float) -> None:
        """Tell a room what has changed; who cannot take it is told all of it later."""
        if self._watching.known(stream):  # somebody may have begun to listen anew meanwhile
            frame = self._frame(stream, self._watching.tell(stream, present))
            full = self._hub.show(stream, frame, waiting=self._newcomers)
            for connection, subscription in full:
                self._newcomers[connection, stream] = subscription

    def _frame(self, stream: str, users: Iterable[str]) -> Wire:
        """Return what a room is told of these people, as they are seen now."""
        items = [moments.shown(self._people[user], self.status(user)) for user in users]
        count = len(self._watching.rooms[stream].present)
        return wire(moments.Presence(room_id=stream, items=items, count=count))

    async def _read_people(self, users: Collection[str]) -> None:
        """Know of these people what is written down."""
        missing = _ids(user for user in users if user not in self._people)
        if missing:
            found = await pool.run_for_all(presence.seen, missing)
            self._people |= {str(user): seen for user, seen in found.items()}


def _by_room(places: Iterable[Place]) -> dict[str, list[Connection]]:
    found: dict[str, list[Connection]] = {}
    for connection, stream in places:
        found.setdefault(stream, []).append(connection)
    return found


def _ids(users: Iterable[str]) -> list[uuid.UUID]:
    return [uuid.UUID(user) for user in users]
