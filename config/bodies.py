"""What comes over ASGI: bodies that are counted and timed, in memory or on disk."""

import asyncio
import io
import tempfile
from collections.abc import Awaitable, Callable
from typing import IO, Any

from django.conf import settings

from api import errors
from config.messages import Receive, Scope, header

BODY_SECONDS = 30  # for all of a body to arrive; who is slower holds a connection for nothing
UPLOAD_SECONDS = 300  # for all of an upload: 10 MiB from a phone far out
FORM_BYTES = 16 * 1024  # around the file of an upload: boundaries, its name

Body = IO[bytes]
_Keep = Callable[[bytes], Awaitable[Any]]


class BodyTooLate(errors.InvalidRequest):
    default_detail = "The body did not arrive in time."


async def received(scope: Scope, receive: Receive) -> Body | None:
    """Read the body into memory; None when the client has gone.

    Raises:
        PayloadTooLarge: it is larger than may be, by its length or by count.
        BodyTooLate: it took too long.
    """
    chunks: list[bytes] = []

    async def keep(chunk: bytes) -> None:
        chunks.append(chunk)

    whole = await _read(scope, receive, keep, settings.LIMITS.body_bytes, BODY_SECONDS)
    return io.BytesIO(b"".join(chunks)) if whole else None


async def received_on_disk(scope: Scope, receive: Receive) -> Body | None:
    """Read an upload into a file that has no name; None when the client has gone.

    Raises:
        PayloadTooLarge, BodyTooLate: as ``received``.
    """
    limit = settings.LIMITS.upload_bytes
    body = tempfile.TemporaryFile()  # noqa: SIM115  whoever answers closes it

    async def keep(chunk: bytes) -> None:
        await asyncio.to_thread(body.write, chunk)

    whole = False
    try:
        most = None if limit is None else limit + FORM_BYTES
        whole = await _read(scope, receive, keep, most, UPLOAD_SECONDS)
    finally:
        if not whole:
            body.close()
    return body if whole else None


async def _read(
    scope: Scope, receive: Receive, keep: _Keep, limit: int | None, seconds: float
) -> bool:
    """Read all of a body; tell whether it came whole."""
    declared = header(scope, b"content-length")
    if limit is not None and declared.isdigit() and int(declared) > limit:
        raise errors.PayloadTooLarge
    try:
        async with asyncio.timeout(seconds):
            return await _keep_all(receive, keep, limit)
    except TimeoutError:
        raise BodyTooLate from None


async def _keep_all(receive: Receive, keep: _Keep, limit: int | None) -> bool:
    size = 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            return False
        chunk = message.get("body", b"")
        size += len(chunk)
        if limit is not None and size > limit:
            raise errors.PayloadTooLarge
        await keep(chunk)
        if not message.get("more_body", False):
            return True


def measure(scope: Scope, body: Body) -> None:
    """Say how long the body is, and go to its beginning.

    A chunked one does not say it, and counts as none in DRF.
    """
    size = body.seek(0, io.SEEK_END)
    body.seek(0)
    headers = [(key, value) for key, value in scope["headers"] if key != b"content-length"]
    scope["headers"] = [*headers, (b"content-length", str(size).encode())]


def replayed(body: Body, receive: Receive) -> Receive:
    """Give a body that has been read once more, whole, as a file; then what else is said."""
    again = iter([{"type": "http.request", "body": body, "more_body": False}])

    async def receive_again() -> dict[str, Any]:
        return next(again, None) or await receive()

    return receive_again
