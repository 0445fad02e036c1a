"""A client that is put out and let in again, and writes down what it saw by which permission."""

import asyncio
import contextlib
import itertools
import json
from dataclasses import dataclass
from typing import Any, Self

import websockets

from tests.clients import Person


@dataclass
class Granted:
    """One subscription: the head it was granted at, and the highest number it has told of."""

    head: int
    position: int
    told: int = 0
    over: bool = False


class Listener:
    """One socket that subscribes to whatever its person is let into; used with ``async with``."""

    def __init__(self, person: Person, url: str) -> None:
        self.person = person.at(url)
        self.granted: dict[str, list[Granted]] = {}
        self.pages: list[tuple[str, int]] = []  # rooms that were shown, and at which heads
        self.said: dict[str, str] = {}  # the last message to each room
        self._numbers = itertools.count(1)
        self._asked: dict[int, tuple[str, int]] = {}
        self._looking: dict[int, str] = {}
        self._again: set[str] = set()
        self._unanswered: set[int] = set()

    async def __aenter__(self) -> Self:
        headers = {"Authorization": f"Bearer {self.person.tokens['access']}"}
        self._connection = await websockets.connect(
            f"{self.person.ws}/ws/", additional_headers=headers, compression=None
        )
        self.reading = asyncio.create_task(self._read())
        return self

    async def __aexit__(self, *_: object) -> None:
        self.reading.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await self.reading
        await self._connection.close()

    async def command(self, kind: str, **fields: Any) -> int:
        """Send a command without waiting; return its id."""
        number = next(self._numbers)
        self._unanswered.add(number)
        await self._connection.send(json.dumps({"type": kind, "id": number, **fields}))
        return number

    async def answered(self) -> None:
        """Wait until every command so far has its answer."""
        while self._unanswered:
            await self.pause()

    async def pause(self) -> None:
        """Let a moment go by; raise what reading has failed with."""
        if self.reading.done():
            self.reading.result()
        await asyncio.sleep(0.05)

    async def subscribe(self, room: str, since: int | None = None) -> None:
        """Ask for a room, by default for what has been missed; one question at a time."""
        if any(asked == room for asked, _ in self._asked.values()):
            self._again.add(room)
            return
        wanted = self.position(room) if since is None else since
        number = await self.command("subscribe", streams={room: wanted})
        self._asked[number] = room, wanted

    async def look(self, room: str) -> None:
        """Ask for the newest message over the socket."""
        number = await self.command("history", room_id=room, limit=1)
        self._looking[number] = room

    def position(self, room: str) -> int:
        """Return up to which number this client knows a room."""
        past = self.granted.get(room)
        return past[-1].position if past else 0

    async def _read(self) -> None:
        async for text in self._connection:
            await self._take(json.loads(text))

    async def _take(self, frame: dict[str, Any]) -> None:
        self._unanswered.discard(frame.get("id"))
        match frame["type"]:
            case "subscribed":
                await self._answered(frame)
            case "unsubscribed":
                self.granted[frame["stream"]][-1].over = True
            case "batch" if frame["stream"] in self.granted:
                self._saw(frame["stream"], frame["from"], frame["to"], frame["events"])
            case "gap":
                self.granted[frame["stream"]][-1].position = frame["to"]
            case "room.added":
                await self.subscribe(frame["data"]["id"])
            case "ok" | "error":
                self._replied(frame)
            case _ if frame.get("stream") in self.granted:
                self._saw(frame["stream"], frame["seq"], frame["seq"], [frame])

    def _replied(self, frame: dict[str, Any]) -> None:
        room = self._looking.pop(frame["id"], None)
        if frame["type"] == "error":
            assert frame["code"] == "not_found", frame
        elif room is not None:
            self.pages.append((room, frame["head"]))
        elif "message" in frame:
            self.said[frame["message"]["room_id"]] = frame["message"]["id"]

    async def _answered(self, frame: dict[str, Any]) -> None:
        room, since = self._asked.pop(frame["id"])
        for grant in frame["streams"].values():
            self.granted.setdefault(room, []).append(Granted(grant["head"], since))
        if room in self._again:
            self._again.discard(room)
            await self.subscribe(room)

    def _saw(self, room: str, first: int, last: int, events: list[dict[str, Any]]) -> None:
        present = self.granted[room][-1]
        assert not present.over, f"after unsubscribed: {first}"
        assert first == present.position + 1, f"{present.position}, then {first}"
        shown = [event["data"].get("changed_seq", 0) for event in events]
        present.told = max(present.told, last, *shown)
        present.position = last
