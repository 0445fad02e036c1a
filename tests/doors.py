"""A door in this process, before views that show how it treats them."""

import asyncio
import contextlib
import io
import threading
from collections.abc import AsyncIterator, Iterator
from functools import cached_property
from typing import Any

import uvicorn
from django.core import signals
from django.http import FileResponse, HttpRequest, HttpResponse, StreamingHttpResponse
from django.urls import path
from pytest_django import Settings
from rest_framework.request import Request
from rest_framework.views import APIView
from typing_extensions import override

from config.http import HttpDoor
from tests.backends import free_port

HANDLERS = ["pool", "django"]
LARGE = bytes(range(256)) * 1024  # four parts
WAIT_SECONDS = 30  # the deadline of a wait


class Story:
    """What happened on the threads behind the door, and what they wait for."""

    def __init__(self) -> None:
        self.happened: list[str] = []
        self.threads: dict[str, set[int]] = {}
        self.may_go_on = threading.Event()
        self._changed = threading.Condition()

    def tell(self, what: str) -> None:
        """Note what happens, and on which thread."""
        with self._changed:
            self.happened.append(what)
            self.threads.setdefault(what, set()).add(threading.get_ident())
            self._changed.notify_all()

    async def until(self, what: str, times: int = 1) -> None:
        """Wait until something has happened so often."""
        await asyncio.to_thread(self._wait, what, times)

    def _wait(self, what: str, times: int) -> None:
        with self._changed:
            done = self._changed.wait_for(
                lambda: self.happened.count(what) >= times, timeout=WAIT_SECONDS
            )
        assert done, f"no {what}: {self.happened}"


story = Story()


@contextlib.asynccontextmanager
async def opened(settings: Settings, handler: str) -> AsyncIterator[HttpDoor]:
    """Open a door before the views below, with a story of its own."""
    settings.HTTP_HANDLER = handler
    settings.ROOT_URLCONF = __name__
    story.__init__()  # type: ignore[misc]  # views know this one
    door = HttpDoor()
    with told(signals.request_started, "started"), told(signals.request_finished, "finished"):
        try:
            yield door
        finally:
            story.may_go_on.set()
            await door.end()


@contextlib.contextmanager
def told(signal: Any, what: str) -> Iterator[None]:
    """Tell the story of a signal."""

    def receiver(**_: Any) -> None:
        story.tell(what)

    signal.connect(receiver)
    try:
        yield
    finally:
        signal.disconnect(receiver)


class Visit:
    """One request, message by message."""

    def __init__(self, door: HttpDoor, method: str, path: str, **scope: Any) -> None:
        self.sent: list[dict[str, Any]] = []
        self.taken = 0  # messages that the door has received
        self.reading = asyncio.Event()
        self.reading.set()
        self.offered = asyncio.Event()  # a part, which the client does not take
        self._door = door
        self._received: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self._scope = {
            "type": "http",
            "method": method,
            "path": path,
            "query_string": b"",
            "client": ("10.0.0.1", 4711),
            **scope,
            "headers": [(b"host", b"localhost"), *scope.get("headers", [])],
        }

    def say(self, *messages: dict[str, Any]) -> None:
        """Let the door receive these next."""
        for message in messages:
            self._received.put_nowait(message)

    async def take_one(self) -> None:
        """Take the part that is offered, and wait for the next one."""
        self.offered.clear()
        self.reading.set()
        self.reading.clear()  # who waits is let through all the same
        await self.offered.wait()

    def leave(self) -> None:
        """Let the client be gone."""
        self.say({"type": "http.disconnect"})

    async def run(self) -> list[dict[str, Any]]:
        """Let the door serve; return what it has sent."""
        async with asyncio.timeout(3 * WAIT_SECONDS):
            await self._door(self._scope, self._receive, self._send)
        return self.sent

    async def whole(self) -> list[dict[str, Any]]:
        """As ``run``, when there is no body."""
        self.say({"type": "http.request"})
        return await self.run()

    @property
    def body(self) -> bytes:
        """All that has been sent after the start."""
        return b"".join(message.get("body", b"") for message in self.sent[1:])

    @property
    def headers(self) -> dict[bytes, bytes]:
        """The headers of the answer."""
        return dict(self.sent[0]["headers"])

    async def _receive(self) -> dict[str, Any]:
        message = await self._received.get()
        self.taken += 1
        return message

    async def _send(self, message: dict[str, Any]) -> None:
        if message["type"] == "http.response.body":
            self.offered.set()
            await self.reading.wait()
        self.sent.append(message)


class _Server(uvicorn.Server):
    """uvicorn, which says when it listens."""

    @override
    async def startup(self, sockets: Any = None) -> None:
        await super().startup(sockets)
        self.up.set()

    @cached_property
    def up(self) -> asyncio.Event:
        return asyncio.Event()


@contextlib.asynccontextmanager
async def serving(app: Any, **options: Any) -> AsyncIterator[uvicorn.Server]:
    """Serve an application on a real port, with these options of uvicorn's."""
    config = uvicorn.Config(
        app, port=free_port(), lifespan="off", log_config=None, ws="none", **options
    )
    server = _Server(config)
    running = asyncio.create_task(server.serve())
    await asyncio.wait_for(server.up.wait(), WAIT_SECONDS)
    try:
        yield server
    finally:
        server.should_exit = True
        await running


@contextlib.asynccontextmanager
async def served(door: HttpDoor) -> AsyncIterator[int]:
    """Serve a door on a real port."""
    async with serving(door) as server:
        yield server.config.port


# --- the views ------------------------------------------------------------------------------


def plain(request: HttpRequest) -> HttpResponse:
    story.tell("view")
    return HttpResponse(b"plain")


def large(request: HttpRequest) -> HttpResponse:
    return HttpResponse(LARGE)


def nothing(request: HttpRequest) -> HttpResponse:
    return HttpResponse(status=204)


def waiting(request: HttpRequest) -> HttpResponse:
    story.tell("view")
    story.may_go_on.wait(WAIT_SECONDS)
    story.tell("view done")
    return HttpResponse(b"waited")


def crashing(request: HttpRequest) -> HttpResponse:
    raise ZeroDivisionError


class CrashingEndpoint(APIView):
    authentication_classes = ()
    permission_classes = ()

    def get(self, _: Request) -> HttpResponse:
        raise ZeroDivisionError


def few() -> Iterator[bytes]:
    try:
        for part in (b"one", b"", b"two"):
            story.tell("part")
            yield part
    finally:
        story.tell("closed")


async def few_async() -> AsyncIterator[bytes]:
    for part in few():
        yield part


def endless() -> Iterator[bytes]:
    try:
        while True:
            story.tell("part")
            yield b"x" * 65_536
    finally:
        story.tell("closed")


async def endless_async() -> AsyncIterator[bytes]:
    try:
        story.tell("part")
        yield b"x"
        await asyncio.Event().wait()
    finally:
        story.tell("closed")


def broken() -> Iterator[bytes]:
    yield b"x"
    raise ZeroDivisionError


def streamed(parts: Any) -> Any:
    """Return a view that streams what a function makes."""

    def view(request: HttpRequest) -> StreamingHttpResponse:
        story.tell("view")
        return StreamingHttpResponse(parts())

    return view


def file(request: HttpRequest) -> FileResponse:
    return FileResponse(io.BytesIO(LARGE), filename="large.bin")


urlpatterns = [
    path("plain", plain),
    path("large", large),
    path("nothing", nothing),
    path("waiting", waiting),
    path("crashing", crashing),
    path("crashing-endpoint", CrashingEndpoint.as_view()),
    path("few", streamed(few)),
    path("few-async", streamed(few_async)),
    path("endless", streamed(endless)),
    path("endless-async", streamed(endless_async)),
    path("broken", streamed(broken)),
    path("file", file),
]
handler404 = "api.problems.no_such_path"
handler500 = "api.problems.broken"
