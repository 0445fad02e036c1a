"""Clients as an integrator would write them, which also hold the server to the contract."""

import asyncio
import itertools
import json
import re
import time
from collections import defaultdict, deque
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Self, TypeVar

import httpx
import websockets

from tests import secrets_seen
from tests.contract import check_frame, check_response

PASSWORD = "known to tests alone"
_OF_PROFILES = ("created_at", "avatar", "hide_receipts")  # no senders or actors have it
FRAME_SECONDS = 30.0  # the deadline of a wait, not a measurement
OF_THE_MOMENT = ("typing", "presence")
_numbers = itertools.count(1)
Result = TypeVar("Result")

# One for all: its connections are kept, and the secrets that pass are noted.
http = httpx.Client(timeout=60, event_hooks={"response": [secrets_seen.note_exchange]})


def at_once(*calls: Callable[[], Result]) -> list[Result]:
    """Make these calls at the same time; return what they return, in their order."""
    with ThreadPoolExecutor(len(calls)) as threads:
        return [made.result() for made in [threads.submit(call) for call in calls]]


def profile(me: dict[str, Any]) -> dict[str, Any]:
    """Return oneself as others see one."""
    return {name: value for name, value in me.items() if name != "hide_receipts"}


def sender(user: dict[str, Any]) -> dict[str, Any]:
    """Return a user as senders, actors and members are shown."""
    return {name: value for name, value in user.items() if name not in _OF_PROFILES}


def until(happens: Callable[[], Result], seconds: float = FRAME_SECONDS) -> Result:
    """Ask again until there is something; return it."""
    end = time.monotonic() + seconds
    while not (found := happens()):
        assert time.monotonic() < end, "it does not come"
        time.sleep(0.05)
    return found


def told(message: dict[str, Any]) -> dict[str, Any]:
    """Return a message of REST as sockets tell it: without what one person sees of it."""
    return {name: value for name, value in message.items() if name not in ("reactions", "thread")}


class Person:
    """Somebody with an account, on one device, at one server; nobody, without tokens."""

    def __init__(self, url: str, signed_in: dict[str, Any]) -> None:
        self.url = url
        self.ws = url.replace("http", "ws", 1)
        self.user: dict[str, Any] = signed_in.get("user", {})
        self.id: str = self.user.get("id", "")
        self.name: str = self.user.get("username", "")
        self.tokens = signed_in

    @classmethod
    def register(cls, url: str, name: str) -> Self:
        """Make an account; the name gets a number, so that every test has people of its own."""
        username = f"{name}.{next(_numbers)}-{id(cls) % 1000}"
        body = {"username": username, "password": PASSWORD, "display_name": name.title()}
        response = http.post(url + "/api/v1/auth/register", json=body)
        check_response(response)
        assert response.status_code == 201, response.text
        return cls(url, response.json())

    def at(self, url: str) -> "Person":
        """Be the same person, with the same session, at another server."""
        return Person(url, self.tokens)

    def login(self, device: str = "") -> "Person":
        """Be the same person on another device."""
        body = {"username": self.name, "password": PASSWORD, "device": device}
        return Person(self.url, self.expect(200, "POST", "/auth/login", json=body))

    def call(self, method: str, path: str, **options: Any) -> httpx.Response:
        """Make a request; the answer is held against the contract."""
        headers = {"Authorization": f"Bearer {self.tokens['access']}"} if self.tokens else {}
        headers |= options.pop("headers", {})
        response = http.request(method, f"{self.url}/api/v1{path}", headers=headers, **options)
        check_response(response)
        return response

    def expect(self, status: int, method: str, path: str, **options: Any) -> Any:
        """Make a request that is answered with this status; return the JSON."""
        response = self.call(method, path, **options)
        assert response.status_code == status, f"{method} {path}: {response.text}"
        return response.json() if response.content else None

    def get(self, path: str, **options: Any) -> Any:
        """Read something that is there."""
        return self.expect(200, "GET", path, **options)

    def refused(self, status: int, code: str, method: str, path: str, **options: Any) -> Any:
        """Make a request that is refused with this status and code; return the problem."""
        problem = self.expect(status, method, path, **options)
        assert problem["code"] == code, problem
        return problem

    def create_room(self, *members: "Person", kind: str = "private", **more: Any) -> dict[str, Any]:
        """Make a room with these people in it."""
        body = {"name": "room", "kind": kind, "member_ids": [person.id for person in members]}
        room: dict[str, Any] = self.expect(201, "POST", "/rooms", json=body | more)
        return room

    def send(self, room_id: str, text: str = "hello", **more: Any) -> dict[str, Any]:
        """Say something over REST."""
        body = {"text": text, **more}
        path = f"/rooms/{room_id}/messages"
        message: dict[str, Any] = self.expect(201, "POST", path, json=body)
        return message

    def upload(self, name: str, content: bytes, **more: Any) -> dict[str, Any]:
        """Send a file."""
        found: dict[str, Any] = self.expect(
            201, "POST", "/uploads", files={"file": (name, content)}, **more
        )
        return found

    def download_token(self) -> str:
        """Return a token for links to files."""
        token: str = self.expect(201, "POST", "/auth/download-token")["token"]
        return token

    async def talk(self, room_id: str, count: int) -> None:
        """Say many things quickly: one number after the other."""
        async with self.socket() as socket:
            await socket.opened()
            for number in range(1, count + 1):
                text = str(number)
                await socket.command("message.send", id=text, room_id=room_id, text=text)
            await socket.reply(str(count))

    def events(self, stream: str, after: int = 0) -> list[dict[str, Any]]:
        """Return what happened in a room, or to oneself, since a number (at most 1,000)."""
        path = "/me/events" if stream == self.id else f"/rooms/{stream}/events"
        items: list[dict[str, Any]] = self.get(f"{path}?after={after}&limit=1000")["items"]
        return items

    def socket(self, path: str = "/ws/", *, query: str = "", **options: Any) -> "Socket":
        """Open a socket with the access token in the header; used with ``async with``."""
        headers = {"Authorization": f"Bearer {self.tokens['access']}"}
        return Socket(f"{self.ws}{path}{query}", additional_headers=headers, **options)


class Socket:
    """A WebSocket client that checks each frame and the order of each stream.

    ``positions`` is what rule 3 of contract §3.4 speaks of; a hole or a repeat fails.
    """

    def __init__(self, url: str, **options: Any) -> None:
        options = {"compression": None, "max_size": None, "ping_interval": None, **options}
        self._connecting = websockets.connect(url, **options)
        self.positions: dict[str, int] = {}
        self.events: list[dict[str, Any]] = []
        self.hello: dict[str, Any] = {}
        self._shown: dict[str, deque[dict[str, Any]]] = defaultdict(deque)
        self._since: dict[str, int | None] = {}
        room = re.search(r"/ws/rooms/([^/?]+)/?\?(?:.*&)?since=(\d+)", url)
        if room:
            self._since[room.group(1)] = int(room.group(2))

    async def __aenter__(self) -> Self:
        self.connection = await self._connecting
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.connection.close()

    async def opened(self) -> Self:
        """Wait for ``hello``."""
        self.hello = await self.until("hello")
        inbox = self.hello["inbox"]
        self.positions[inbox["stream"]] = inbox["head"]
        return self

    async def command(self, kind: str, **fields: Any) -> None:
        """Send a command without waiting."""
        if kind == "subscribe":
            self._since |= fields["streams"]
        secrets_seen.note(fields)
        await self.connection.send(json.dumps({"type": kind, **fields}))

    async def ask(self, kind: str, **fields: Any) -> dict[str, Any]:
        """Send a command and return its reply, whatever it is."""
        number = next(_numbers)
        await self.command(kind, id=number, **fields)
        return await self.reply(number)

    async def reply(self, number: int | str) -> dict[str, Any]:
        """Return the reply to a command."""
        while True:
            frame = await self.receive()
            if frame.get("id") == number:
                return frame

    async def ok(self, kind: str, **fields: Any) -> dict[str, Any]:
        """Send a command that succeeds."""
        reply = await self.ask(kind, **fields)
        assert reply["type"] == "ok", reply
        return reply

    async def subscribe(self, *rooms: str, since: int | None = None, **more: Any) -> dict[str, Any]:
        """Subscribe to rooms, all since the same number."""
        return await self.ask("subscribe", streams=dict.fromkeys(rooms, since), **more)

    async def receive(self, seconds: float = FRAME_SECONDS) -> dict[str, Any]:
        """Return the next frame that is not about the moment; those are kept for ``shown``."""
        while True:
            frame = await self._next(seconds)
            if frame["type"] not in OF_THE_MOMENT:
                return frame
            self._shown[frame["type"]].append(frame)

    async def shown(self, kind: str, seconds: float = FRAME_SECONDS) -> dict[str, Any]:
        """Return the next frame about who is typing, or who is here."""
        async with asyncio.timeout(seconds):
            while not self._shown[kind]:
                frame = await self._next(seconds)
                if frame["type"] in OF_THE_MOMENT:
                    self._shown[frame["type"]].append(frame)
        return self._shown[kind].popleft()

    async def _next(self, seconds: float) -> dict[str, Any]:
        text = await asyncio.wait_for(self.connection.recv(), seconds)
        frame: dict[str, Any] = json.loads(text)
        check_frame(frame)
        self._follow(frame)
        return frame

    async def until(self, kind: str, seconds: float = FRAME_SECONDS) -> dict[str, Any]:
        """Return the next frame of a type; what comes before it is kept in ``events``."""
        async with asyncio.timeout(seconds):
            while True:
                frame = await self.receive(seconds)
                if frame["type"] == kind:
                    return frame

    async def reach(self, stream: str, seq: int, seconds: float = FRAME_SECONDS) -> None:
        """Wait until a stream's position is at a number, or above."""
        async with asyncio.timeout(seconds):
            while self.positions.get(stream, 0) < seq:
                await self.receive(seconds)

    async def closed(self, seconds: float = FRAME_SECONDS) -> tuple[dict[str, Any], int]:
        """Wait for the end; return ``bye`` (empty without one) and the close code."""
        bye: dict[str, Any] = {}
        try:
            async with asyncio.timeout(seconds):
                while True:
                    frame = await self.receive(seconds)
                    assert not bye, f"after bye: {frame}"
                    if frame["type"] == "bye":
                        bye = frame
        except websockets.ConnectionClosed:
            return bye, self.connection.close_code or 0

    def of(self, stream: str) -> list[dict[str, Any]]:
        """Return the events of a stream that have come so far."""
        return [event for event in self.events if event["stream"] == stream]

    def _follow(self, frame: dict[str, Any]) -> None:
        match frame["type"]:
            case "subscribed":
                for stream, grant in frame["streams"].items():
                    since = self._since.get(stream)
                    self.positions[stream] = grant["head"] if since is None else since
            case "batch":
                self._move(frame["stream"], frame["from"], frame["to"])
                self.events.extend(frame["events"])
            case "gap":
                self.positions[frame["stream"]] = frame["to"]
            case _ if "seq" in frame and "stream" in frame:
                self._move(frame["stream"], frame["seq"], frame["seq"])
                self.events.append(frame)

    def _move(self, stream: str, first: int, last: int) -> None:
        assert first == self.positions[stream] + 1, f"{self.positions[stream]}, then {first}"
        assert last >= first
        self.positions[stream] = last
