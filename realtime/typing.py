"""Who is typing: from a socket's command to the other subscribers, on all processes.

It is nowhere written down. Each process keeps what it has heard, forgets what is not renewed,
and tells its own sockets; what the channel layer loses is made good by the next renewal.
"""

import asyncio
import uuid
from collections.abc import Iterable, Mapping
from functools import partial
from typing import Any

from api import access
from api.signs import sign_of
from realtime import moments, pool, protocol
from realtime.connection import Connection
from realtime.feed import Deliver
from realtime.hub import Hub
from realtime.moments import SayTyping
from realtime.subscription import Subscription
from realtime.typing_room import TYPING_SECONDS, TypingRoom

KIND = "typing"  # of messages between processes
HEARD_SECONDS = TYPING_SECONDS + 2  # who has it from another process is also told of its end
RENEWED_SECONDS = 1.0  # others are told of a renewal at most so often
BELIEVED_SECONDS = 5.0  # that somebody may write: no room tells of who blocks whom


class Typing:
    """Who is typing in the rooms that somebody in this process listens to."""

    def __init__(self, hub: Hub) -> None:
        self._hub, self._loop = hub, asyncio.get_running_loop()
        self._process = uuid.uuid4().hex
        self._rooms: dict[str, TypingRoom] = {}
        self._timers: dict[str, asyncio.TimerHandle] = {}
        self._mine: dict[str, dict[str, float]] = {}  # source → room → when others were told
        # room → who may write, and until when that is believed; as long as we listen to it
        self._may: dict[str, dict[str, float]] = {}

    async def command(self, connection: Connection, command: SayTyping) -> None:
        """Do what a socket says of its person.

        Raises:
            ChatError: they may not write in this room now.
        """
        room, user, source = str(command.room_id), connection.user_id, str(connection.id)
        if not command.active:
            self._ended_here(room, user, source)
            return
        if self._may.get(room, {}).get(user, 0.0) <= self._loop.time():
            await self._ask(command.room_id, user)
        if connection.closing is None:
            self._began_here(room, user, source)

    def gone(self, connection: Connection) -> None:
        """Note that a socket has ended. Harmless when repeated."""
        source = str(connection.id)
        for room in list(self._mine.get(source, ())):
            self._ended_here(room, connection.user_id, source)

    # --- what the hub tells ---------------------------------------------------------------

    def attached(self, _: Connection, subscription: Subscription) -> None:
        """Tell whoever comes later of those who go on typing."""
        room = self._rooms.get(subscription.stream)
        if room is not None and subscription.ephemeral:
            room.somebody_came()

    def detached(self, _: Connection, stream: str) -> None:
        """Believe nothing of a room whose news do not come any more."""
        if self._hub.position(stream) is None:
            self._may.pop(stream, None)

    def news(self, stream: str, run: Deliver) -> None:
        """End what an event ends: who has spoken or is gone does not type."""
        room, may = self._rooms.get(stream), self._may.get(stream)
        if room is None and may is None:
            return
        for frame in run.frames:
            if frame.text is None:
                continue
            sign = sign_of(frame.text)
            if sign.of_people:
                self._may.pop(stream, None)
            if room is not None:
                gone = (frame.ends or {}).get("users", ())
                for user in (str(sign.actor_id), *gone) if sign.spoken else gone:
                    self._forget(stream, [(user, source) for source in room.ended(user)])
        self._tell(stream)

    def heard(self, message: Mapping[str, Any]) -> None:
        """Take what another process says."""
        stream, user, source = message["stream"], message["user"], message["source"]
        if message["process"] == self._process or self._hub.position(stream) is None:
            return
        if message["active"]:
            room = self._rooms.setdefault(stream, TypingRoom())
            room.began(user, source, self._loop.time() + HEARD_SECONDS)
        elif stream in self._rooms:
            self._rooms[stream].ended(user, source)
        self._tell(stream)

    # --- here -----------------------------------------------------------------------------

    async def _ask(self, room_id: uuid.UUID, user: str) -> None:
        """Ask the database, and remember it for a while, or until the room tells of a change."""
        until = self._loop.time() + BELIEVED_SECONDS
        may: dict[str, float] = {}
        if self._hub.position(str(room_id)) is not None:
            may = self._may.setdefault(str(room_id), may)
        await pool.run(access.check_may_write, room_id, uuid.UUID(user))
        may[user] = until  # which is forgotten already if something has changed meanwhile

    def _began_here(self, room: str, user: str, source: str) -> None:
        now = self._loop.time()
        mine = self._mine.setdefault(source, {})
        if now >= mine.get(room, 0.0) + RENEWED_SECONDS:
            mine[room] = now
            self._say(room, user, source, active=True)
        self._rooms.setdefault(room, TypingRoom()).began(user, source, now + TYPING_SECONDS)
        self._tell(room)

    def _ended_here(self, room: str, user: str, source: str) -> None:
        if room in self._mine.get(source, ()):
            if room in self._rooms:
                self._rooms[room].ended(user, source)
            self._forget(room, [(user, source)])
            self._tell(room)

    def _forget(self, room: str, ended: Iterable[tuple[str, str]]) -> None:
        """Tell the other processes of what has ended here."""
        for user, source in ended:
            mine = self._mine.get(source, {})
            if mine.pop(room, None) is not None:
                self._say(room, user, source, active=False)
                if not mine:
                    del self._mine[source]

    def _say(self, room: str, user: str, source: str, *, active: bool) -> None:
        said = {"process": self._process, "user": user, "source": source, "active": active}
        self._hub.broker.say(KIND, room, said)

    def _tell(self, stream: str) -> None:
        """Tell the others of what has changed in a room, or wait until it may be told."""
        room, now = self._rooms.get(stream), self._loop.time()
        if room is None:
            return
        self._forget(stream, room.expire(now))
        news = room.next_frame(now)
        if news is not None:
            user, active = news
            frame = moments.Typing(room_id=stream, user_id=user, active=active)
            self._hub.show(stream, protocol.wire(frame), but=user)
        due = room.due(now)
        timer = self._timers.pop(stream, None)
        if timer is not None:
            timer.cancel()
        if due is None:
            del self._rooms[stream]
        else:
            self._timers[stream] = self._loop.call_at(due, partial(self._tell, stream))
