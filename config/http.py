"""The HTTP door: ASGI → Django on a bounded pool of long-lived threads.

Around Django, whichever handler runs it: names, addresses and headers, bodies counted and timed
before they are buffered, and no endless queue. ``config/handlers.py`` is what stands inside.
"""

import asyncio
import io
import logging
import re
import time
import uuid
from contextlib import ExitStack

from corsheaders.middleware import CorsMiddleware
from django.conf import settings
from django.core.handlers.asgi import ASGIRequest
from django.middleware.security import SecurityMiddleware
from django.utils.http import parse_header_parameters

from api import errors, invalid, metrics, problems, tracing
from api.errors import ChatError
from api.headers import SECURITY
from config import admission
from config.addresses import addressed
from config.bodies import Body, BodyTooLate, measure, received, replayed
from config.exposition import observe
from config.handlers import HANDLERS, THREADS
from config.lanes import Lane
from config.messages import (
    Message,
    Receive,
    Scope,
    Send,
    finish,
    header,
    send_content,
    start,
)
from config.uploads import Uploads

WAITING_MAX = 512  # requests that wait for a thread; beyond, the answer is 503 at once
UPLOADS = "/api/v1/uploads"
# What hashes a password takes a core for 20 ms: a flood of it leaves the other threads alone.
HASHING = {f"/api/v1/auth/{name}" for name in ("login", "register", "password")}
HASHING_THREADS, HASHING_WAITING_MAX = 2, 64

_REQUEST_ID = re.compile(rb"[A-Za-z0-9._-]{1,64}")

log = logging.getLogger(__name__)


class HttpDoor:
    """One for all requests of a process."""

    def __init__(self) -> None:
        self._handler = HANDLERS[settings.HTTP_HANDLER]()
        self._inside: set[_Answer] = set()
        self._hashing = Lane(HASHING_THREADS, HASHING_WAITING_MAX)
        self._uploads = Uploads()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        scope, request_id = _named(scope)
        tracing.request_id.set(request_id)
        answer = _Answer(send, request_id)
        began = time.perf_counter()
        try:
            await self._serve(scope, receive, answer)
        except ChatError as error:
            if invalid.counts(error):
                await asyncio.to_thread(invalid.note, error, scope["client"][0])
            await _refuse(error, scope, request_id, answer)
        except Exception as error:  # outside of every view: nobody else would answer
            if answer.status is not None:
                raise
            log.error("unexpected", exc_info=error)
            await _refuse(errors.Internal(), scope, request_id, answer)
        finally:
            answer.held.close()
            if answer.status is not None:
                observe(scope, answer.status, began)

    async def end(self) -> None:
        """Finish what is under way, and keep nothing."""
        await self._handler.end()

    async def _serve(self, scope: Scope, receive: Receive, answer: "_Answer") -> None:
        admission.check(scope)
        _check_readable(scope)
        body = await self._body(scope, receive, answer)
        if body is None:
            return
        try:
            await self._enter(scope, body, answer)
        except BaseException:  # also a cancelled request: nobody else would close it
            body.close()
            raise
        measure(scope, body)
        await self._handler(scope, replayed(body, receive), answer)

    async def _body(self, scope: Scope, receive: Receive, answer: "_Answer") -> Body | None:
        if scope["method"] == "POST" and scope["path"] == UPLOADS:
            return await self._uploads.received(scope, receive, answer.held)
        return await received(scope, receive)

    async def _enter(self, scope: Scope, body: Body, answer: "_Answer") -> None:
        admission.check_body(scope, body)
        if scope["method"] == "POST" and scope["path"] in HASHING:
            await self._hashing.turn()
            answer.held.callback(self._hashing.give_up)
        if len(self._inside) >= THREADS + WAITING_MAX:  # who has not sent all does not count
            metrics.requests_turned_away.inc()
            raise errors.Unavailable("Too many requests at once.")
        self._inside.add(answer)
        answer.held.callback(self._inside.discard, answer)


class _Answer:
    """The way out: adds to every answer, also to errors, what every answer has."""

    def __init__(self, send: Send, request_id: str) -> None:
        self.status: int | None = None  # once it has begun
        self.held = ExitStack()  # places: who reads slowly has had them
        self._send, self._request_id = send, request_id.encode()

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            self.held.close()
            headers = [(name.lower(), value) for name, value in message["headers"]]
            present = {name for name, _ in headers}
            added = [item for item in SECURITY.items() if item[0] not in present]
            own = (b"x-request-id", self._request_id)
            message = {**message, "headers": [*headers, *added, own]}
        await self._send(message)


def _named(scope: Scope) -> tuple[Scope, str]:
    """Give the request its id and its client's true address."""
    given = header(scope, b"x-request-id")
    name = given if _REQUEST_ID.fullmatch(given) else uuid.uuid4().hex.encode()
    headers = [(key, value) for key, value in scope["headers"] if key != b"x-request-id"]
    named = {**scope, "headers": [*headers, (b"x-request-id", name)]}
    return addressed(named), name.decode()


def _check_readable(scope: Scope) -> None:
    """Refuse what Django cannot make a request of.

    Raises:
        InvalidRequest: the query, or the media type.
    """
    media = b",".join(value for key, value in scope["headers"] if key == b"content-type")
    try:
        scope["query_string"].decode()
        parse_header_parameters(media.decode("latin-1"))
    except ValueError:
        raise errors.InvalidRequest from None


async def _refuse(error: ChatError, scope: Scope, request_id: str, answer: Send) -> None:
    """Answer in Django's place, as readable for pages of another origin as Django's answers."""
    response = problems.answer(error, request_id)
    if isinstance(error, BodyTooLate):
        response["Connection"] = "close"
    headers = [(key, value) for key, value in scope["headers"] if key != b"content-type"]
    request = ASGIRequest({**scope, "headers": headers, "query_string": b""}, io.BytesIO())
    CorsMiddleware(lambda _: response).add_response_headers(request, response)
    SecurityMiddleware(lambda _: response).process_response(request, response)
    finish(request, response)
    await answer(start(response))
    await send_content(response.content, answer)
