"""The rooms in which somebody here is told who is present: who is in them, what is new. Pure."""

from collections.abc import Callable, Collection, Iterable

ITEMS_MAX = 200  # above so many members only their number is told
FRAME_SECONDS = 1.0  # between two frames of a room
LARGE_READ_SECONDS = 10.0  # between two readings of who is in a large room


class WatchedRoom:
    """One room: who is in it, who of them is present, and of whom that is to be told."""

    __slots__ = ("changed", "count_told", "members", "next_at", "present", "read_at")

    def __init__(self) -> None:
        self.members: set[str] = set()
        self.present: set[str] = set()
        self.changed: set[str] = set()
        self.count_told = 0
        self.next_at = self.read_at = float("-inf")

    @property
    def large(self) -> bool:
        """Whether only a number is told."""
        return len(self.members) > ITEMS_MAX

    def news(self) -> bool:
        """Tell whether there is something to tell."""
        return len(self.present) != self.count_told or bool(self.changed and not self.large)


class Watching:
    """The rooms of one process. Times are seconds of one clock."""

    def __init__(self) -> None:
        self.rooms: dict[str, WatchedRoom] = {}
        self._rooms_of: dict[str, tuple[str, ...]] = {}  # of so many that a set is too large
        self._stale: set[str] = set()  # those of which it has to be read who is in them
        self._news: set[str] = set()  # those of which there may be something to tell

    def watch(self, stream: str) -> None:
        """Begin with a room, if it is not watched yet."""
        if stream not in self.rooms:
            self.rooms[stream] = WatchedRoom()
            self._stale.add(stream)

    def forget(self, stream: str) -> None:
        """Nobody here listens to a room any more. Harmless when repeated."""
        room = self.rooms.pop(stream, None)
        self._stale.discard(stream)
        self._news.discard(stream)
        for user in room.members if room else ():
            self._leave(stream, user)

    def people_changed(self, stream: str) -> None:
        """Note that others may be in a room."""
        if stream in self.rooms:
            self._stale.add(stream)

    def unread(self, now: float) -> list[str]:
        """Return the rooms of which it has to be read who is in them."""
        rooms = ((stream, self.rooms[stream]) for stream in self._stale)
        return [
            stream
            for stream, room in rooms
            if not room.large or now >= room.read_at + LARGE_READ_SECONDS
        ]

    def reading(self, streams: Iterable[str], now: float) -> None:
        """Note that these are about to be read: what changes from now on is read again."""
        for stream in streams:
            self._stale.discard(stream)
            self.rooms[stream].read_at = now

    def read(self, stream: str, members: set[str], present: Callable[[str], bool]) -> None:
        """Take who is in a room; the first time there is no news in it."""
        room = self.rooms.get(stream)
        if room is None:
            return
        for user in room.members - members:
            self._leave(stream, user)
            room.present.discard(user)
            room.changed.discard(user)
        first, was_large = not room.members, room.large
        for user in members - room.members:
            self._rooms_of[user] = (*self._rooms_of.get(user, ()), stream)
            if present(user):
                room.present.add(user)
                room.changed.add(user)
        room.members = members
        self._news.add(stream)
        if first:  # who listens is about to be told all of it
            room.changed, room.count_told = set(), len(room.present)
        elif was_large and not room.large:  # of nobody has been told yet how they are seen
            room.changed |= room.present

    def moved(self, user: str, *, present: bool) -> None:
        """Note that somebody is seen otherwise than before."""
        for stream in self._rooms_of.get(user, ()):
            room = self.rooms[stream]
            (room.present.add if present else room.present.discard)(user)
            if not room.large:
                room.changed.add(user)
            self._news.add(stream)

    def known(self, stream: str) -> bool:
        """Tell whether it has been read who is in a room."""
        return stream in self.rooms and bool(self.rooms[stream].members)

    def here(self, stream: str) -> Collection[str]:
        """Return who is present in a room; none in a large one."""
        room = self.rooms[stream]
        return () if room.large else sorted(room.present)

    def people_of(self, changed: Iterable[str], arrived: Iterable[str]) -> set[str]:
        """Return who is told of when these rooms are told changes, and these all."""
        found = {user for stream in arrived for user in self.here(stream)}
        for stream in changed:
            room = self.rooms[stream]
            found |= set() if room.large else room.changed
        return found

    def due(self, now: float) -> list[str]:
        """Return the rooms of which there is something to tell, and may be told now."""
        self._news = {stream for stream in self._news if self.rooms[stream].news()}
        return [stream for stream in self._news if now >= self.rooms[stream].next_at]

    def tell(self, stream: str, now: float) -> Collection[str]:
        """Return of whom to tell; none in a large room. They are told of."""
        room = self.rooms[stream]
        changed, room.changed = room.changed, set()
        room.next_at, room.count_told = now + FRAME_SECONDS, len(room.present)
        return () if room.large else sorted(changed)

    def _leave(self, stream: str, user: str) -> None:
        left = tuple(room for room in self._rooms_of.pop(user) if room != stream)
        if left:
            self._rooms_of[user] = left
