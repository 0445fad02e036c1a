"""The HTTP door: ASGI → Django on a bounded pool of long-lived threads.

Bodies are counted before they are buffered; database connections live as long as their
threads; too many waiting requests are refused instead of queued without end.
"""

import asyncio
import io
import ipaddress
import re
import uuid
from collections.abc import Awaitable, Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from corsheaders.middleware import CorsMiddleware
from django.conf import settings
from django.core import signals
from django.core.handlers.asgi import ASGIRequest, get_script_prefix
from django.core.handlers.base import BaseHandler
from django.http import HttpResponseBase
from django.urls import set_script_prefix
from typing_extensions import override

from api import errors, problems
from api.errors import ChatError

THREADS = 8  # requests of one process that are worked on at the same moment
WAITING_MAX = 512  # requests that wait for a thread; beyond, the answer is 503 at once

Scope = dict[str, Any]
Receive = Callable[[], Awaitable[dict[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]

_REQUEST_ID = re.compile(rb"[A-Za-z0-9._-]{1,64}")
_HEADERS = {
    b"x-content-type-options": b"nosniff",
    b"referrer-policy": b"no-referrer",
    b"content-security-policy": b"default-src 'none'; frame-ancestors 'none'",
    b"cache-control": b"no-store",
}


class HttpDoor(BaseHandler):
    """Django behind ASGI, without its asynchronous handler."""

    def __init__(self) -> None:
        super().__init__()
        self.load_middleware()
        self._pool = ThreadPoolExecutor(THREADS, thread_name_prefix="http")
        self._inside = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        scope, request_id = _named(scope)
        send = _with_headers(send, request_id, head=scope["method"] == "HEAD")
        try:
            body = await _body(scope, receive)
            if body is not None:
                await self._admit(scope, body, send)
        except ChatError as error:
            await _refuse(error, scope, request_id, send)

    async def _admit(self, scope: Scope, body: bytes, send: Send) -> None:
        if self._inside >= THREADS + WAITING_MAX:  # who has not sent all yet does not count
            raise errors.Unavailable("Too many requests at once.")
        self._inside += 1
        try:
            await self._serve(scope, body, send)
        finally:
            self._inside -= 1

    async def _serve(self, scope: Scope, body: bytes, send: Send) -> None:
        loop = asyncio.get_running_loop()
        response = await loop.run_in_executor(self._pool, self._answer, scope, body)
        try:
            await send(_start(response))
            if response.streaming:
                chunks = iter(response)
                while chunk := await loop.run_in_executor(self._pool, next, chunks, None):
                    await send(_part(response.make_bytes(chunk), more=True))
                await send(_part(b"", more=False))
            else:
                await send(_part(response.content, more=False))
        finally:
            await loop.run_in_executor(self._pool, response.close)

    def _answer(self, scope: Scope, body: bytes) -> Any:
        scope = _measured(scope, len(body))
        set_script_prefix(get_script_prefix(scope))
        signals.request_started.send(sender=self.__class__, scope=scope)
        return self.get_response(ASGIRequest(scope, io.BytesIO(body)))

    @override
    def get_response(self, request: Any) -> HttpResponseBase:
        response: HttpResponseBase = super().get_response(request)
        return response


async def _body(scope: Scope, receive: Receive) -> bytes | None:
    """Read the body; None when the client has gone.

    Raises:
        PayloadTooLarge: it is larger than may be, by its length or by count.
    """
    limit = settings.LIMITS.body_bytes
    declared = _header(scope, b"content-length")
    if limit is not None and declared.isdigit() and int(declared) > limit:
        raise errors.PayloadTooLarge
    chunks: list[bytes] = []
    size = 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            return None
        chunk = message.get("body", b"")
        size += len(chunk)
        if limit is not None and size > limit:
            raise errors.PayloadTooLarge
        chunks.append(chunk)
        if not message.get("more_body", False):
            return b"".join(chunks)


def _measured(scope: Scope, size: int) -> Scope:
    """Say how long the body was: a chunked one does not, and counts as none in DRF."""
    headers = [(key, value) for key, value in scope["headers"] if key != b"content-length"]
    return {**scope, "headers": [*headers, (b"content-length", str(size).encode())]}


def _named(scope: Scope) -> tuple[Scope, str]:
    """Give the request its id and its client's true address."""
    given = _header(scope, b"x-request-id")
    name = given if _REQUEST_ID.fullmatch(given) else uuid.uuid4().hex.encode()
    headers = [(key, value) for key, value in scope["headers"] if key != b"x-request-id"]
    address = client_address(
        (scope.get("client") or ("", 0))[0],
        [value.decode("latin-1") for key, value in headers if key == b"x-forwarded-for"],
        settings.TRUSTED_PROXY_COUNT,
    )
    named = {**scope, "headers": [*headers, (b"x-request-id", name)], "client": (address, 0)}
    return named, name.decode()


def client_address(peer: str, forwarded: Iterable[str], proxies: int) -> str:
    """Return the right-most address that none of our proxies wrote about another of ours."""
    hops = [hop.strip() for line in forwarded for hop in line.split(",")]
    if proxies == 0 or len(hops) < proxies:
        return peer
    try:
        return str(ipaddress.ip_address(hops[-proxies]))
    except ValueError:
        return peer


def _header(scope: Scope, name: bytes) -> bytes:
    return next((value for key, value in scope["headers"] if key == name), b"")


def _with_headers(send: Send, request_id: str, *, head: bool) -> Send:
    """Add to every answer, also to errors, what every answer has."""

    async def send_with_headers(message: dict[str, Any]) -> None:
        if message["type"] == "http.response.start":
            present = {name.lower() for name, _ in message["headers"]}
            added = [item for item in _HEADERS.items() if item[0] not in present]
            own = (b"x-request-id", request_id.encode())
            message = {**message, "headers": [*message["headers"], *added, own]}
        elif head:
            message = {**message, "body": b""}
        await send(message)

    return send_with_headers


def _start(response: Any) -> dict[str, Any]:
    headers = [
        (name.lower().encode("ascii"), value.encode("latin-1")) for name, value in response.items()
    ]
    if not response.streaming and not response.has_header("Content-Length"):
        headers.append((b"content-length", str(len(response.content)).encode()))
    headers += [
        (b"set-cookie", cookie.output(header="").strip().encode("ascii"))
        for cookie in response.cookies.values()
    ]
    return {"type": "http.response.start", "status": response.status_code, "headers": headers}


def _part(body: bytes, *, more: bool) -> dict[str, Any]:
    return {"type": "http.response.body", "body": body, "more_body": more}


async def _refuse(error: ChatError, scope: Scope, request_id: str, send: Send) -> None:
    """Answer in Django's place, as readable for pages of another origin as Django's answers."""
    response = problems.answer(error, request_id)
    cors = CorsMiddleware(lambda _: response)
    cors.add_response_headers(ASGIRequest(scope, io.BytesIO()), response)
    await send(_start(response))
    await send(_part(response.content, more=False))
