"""Two ways of running Django behind the door, one to choose: ``HTTP_HANDLER``.

Both are ASGI applications that are given whole bodies, as files. ``pool`` is a bounded number
of threads that live long and keep their database connections; ``django`` is Django's own
handler, which makes a thread and a connection for every request.
"""

import asyncio
import logging
from functools import partial
from typing import IO, Any, Protocol

from asgiref.sync import sync_to_async
from django.core import signals
from django.core.handlers.asgi import ASGIHandler, ASGIRequest, get_script_prefix
from django.core.handlers.base import BaseHandler
from django.db import connections
from django.http import HttpRequest, HttpResponseBase
from django.urls import set_script_prefix
from typing_extensions import override

from api.tracing import request_id
from config.messages import (
    Receive,
    Scope,
    Send,
    drawn,
    finish,
    header,
    let_go,
    send_content,
    send_parts,
    start,
)
from config.threads import Thread, Threads

THREADS = 8  # requests of one process that are worked on at the same moment

log = logging.getLogger(__name__)


class Handler(Protocol):
    """Runs Django: an ASGI application that can be ended."""

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Serve one request, of which ``receive`` gives the whole body first."""

    async def end(self) -> None:
        """Finish what is under way, and keep nothing."""


class PoolHandler(BaseHandler):
    """Django on a few threads; a request stays on one, from its first signal to its last."""

    def __init__(self) -> None:
        super().__init__()
        self.load_middleware()
        self._threads = Threads(THREADS)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        exchange = _Exchange(self, scope, (await receive())["body"])
        thread = await self._threads.take()
        answering = thread.run(exchange.answer)
        answering.add_done_callback(lambda _: self._threads.give_back(thread))
        try:
            response: Any = await asyncio.shield(answering)  # what has begun cannot be stopped
            await send(start(response))
            if response.streaming:
                await _stream(response, thread, receive, send)
            else:
                await send_content(response.content, send)
        finally:
            if not exchange.closed:
                await asyncio.shield(thread.run(exchange.close))

    async def end(self) -> None:
        await self._threads.end()

    @override
    def get_response(self, request: HttpRequest) -> HttpResponseBase:
        response: HttpResponseBase = super().get_response(request)
        response._handler_class = type(self)  # type: ignore[attr-defined]  # whose signal it sends
        finish(request, response)
        return response


class _Exchange:
    """A request and its answer, as the thread sees them that works on it."""

    def __init__(self, handler: PoolHandler, scope: Scope, body: IO[bytes]) -> None:
        self.closed = False
        self._handler, self._scope, self._body = handler, scope, body
        self._response: HttpResponseBase | None = None

    def answer(self) -> HttpResponseBase:
        """Return the answer; a streamed one, and a crash, are still to be closed."""
        request_id.set(header(self._scope, b"x-request-id").decode())  # until the next one's
        set_script_prefix(get_script_prefix(self._scope))
        signals.request_started.send(sender=type(self._handler), scope=self._scope)
        request = ASGIRequest(self._scope, self._body)
        self._response = response = self._handler.get_response(request)
        if not response.streaming:
            self.close()
        return response

    def close(self) -> None:
        """Let go of what the answer holds, and tell that the request has ended; once."""
        if self.closed:
            return
        self.closed = True
        self._body.close()
        try:
            if self._response is None:
                signals.request_finished.send(sender=type(self._handler))
            else:
                self._response.close()
        except Exception:  # a stranger's receiver: the work is done, and its answer holds
            log.exception("after the answer")


async def _stream(response: Any, thread: Thread, receive: Receive, send: Send) -> None:
    """Send an answer while it is made, as long as the client is there."""
    if response.is_async:
        parts = aiter(response)
    else:
        parts = drawn(iter(response), partial(thread.run, next))
    sending = asyncio.ensure_future(send_parts(parts, send))
    gone = asyncio.ensure_future(receive())
    try:
        await asyncio.wait([sending, gone], return_when=asyncio.FIRST_COMPLETED)
    finally:
        gone.cancel()
        sending.cancel()
        await asyncio.wait([sending, gone])
        await let_go(response)
    if not sending.cancelled():
        sending.result()


class DjangoHandler(ASGIHandler):
    """Django's own handler, which leaves no connection behind and streams what is streamed."""

    @override
    async def handle(self, scope: Any, receive: Any, send: Any) -> None:
        try:
            await super().handle(scope, receive, send)
        finally:
            await sync_to_async(connections.close_all)()  # the thread ends, and nobody else would

    @override
    async def read_body(self, receive: Any) -> Any:
        return (await receive())["body"]  # it has been counted, and is on disk where it is large

    @override
    async def run_get_response(self, request: Any) -> HttpResponseBase:
        response: Any = await super().run_get_response(request)
        finish(request, response)
        if response.streaming and not response.is_async:  # it would be put together first
            response.streaming_content = drawn(iter(response), sync_to_async(next))
        return response  # type: ignore[no-any-return]

    @override
    async def send_response(self, response: Any, send: Any) -> None:
        try:
            await super().send_response(response, send)
        finally:
            if response.streaming:
                await let_go(response)

    async def end(self) -> None:
        """Nothing of it outlives a request."""


HANDLERS: dict[str, type[Handler]] = {"pool": PoolHandler, "django": DjangoHandler}
