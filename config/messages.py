"""What goes over ASGI: answers in parts, and what every module of the door speaks of."""

from collections.abc import AsyncGenerator, Awaitable, Callable, Iterator
from contextlib import aclosing
from typing import Any

from django.http import FileResponse, HttpResponseBase

PART_BYTES = 64 * 1024  # of an answer: as much as a server keeps for a client that reads slowly

Scope = dict[str, Any]
Message = dict[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]


def header(scope: Scope, name: bytes) -> bytes:
    """Return a header, empty when there is none."""
    return next((value for key, value in scope["headers"] if key == name), b"")


def finish(request: Any, response: Any) -> None:
    """Say how long an answer is where that is known, and leave HEAD nothing but the headers.

    The scope is told the route that was found, by which the door counts the request.
    """
    if request.resolver_match is not None:
        request.scope["gapless.route"] = request.resolver_match.route
    if isinstance(response, FileResponse):
        response.block_size = PART_BYTES
    if not (response.streaming or response.status_code in (204, 304)):  # RFC 9110, section 8.6
        response.setdefault("Content-Length", str(len(response.content)))
    if request.method != "HEAD":
        return
    if response.streaming:
        response.streaming_content = ()
    else:
        response.content = b""


def start(response: HttpResponseBase) -> Message:
    """Return the message that an answer begins with."""
    headers = [(name.encode("ascii"), value.encode("latin-1")) for name, value in response.items()]
    headers += [
        (b"set-cookie", cookie.output(header="").strip().encode("ascii"))
        for cookie in response.cookies.values()
    ]
    return {"type": "http.response.start", "status": response.status_code, "headers": headers}


async def send_content(content: bytes, send: Send) -> None:
    """Send a body that is there already; each part when the last one has been taken."""
    for place in range(0, len(content) or 1, PART_BYTES):
        end = place + PART_BYTES
        await send(_part(content[place:end], more=end < len(content)))


async def send_parts(parts: AsyncGenerator[bytes, None], send: Send) -> None:
    """Send a body while it is made; each part when the last one has been taken."""
    async with aclosing(parts):
        async for part in parts:
            await send(_part(part, more=True))
    await send(_part(b"", more=False))


async def drawn(
    chunks: Iterator[bytes], draw: Callable[[Iterator[bytes], None], Awaitable[bytes | None]]
) -> AsyncGenerator[bytes, None]:
    """Take one chunk after the other where ``draw`` runs ``next``."""
    while (chunk := await draw(chunks, None)) is not None:
        yield chunk


async def let_go(response: Any) -> None:
    """Close what an answer was made from asynchronously: Django leaves it to the collector."""
    close = getattr(response._iterator, "aclose", None)
    if close is not None:
        await close()


def _part(body: bytes, *, more: bool) -> Message:
    return {"type": "http.response.body", "body": body, "more_body": more}
