"""uvicorn's HTTP protocol: who pipelines or does not read takes little; our headers on refusals."""

import asyncio
import fcntl
import sys
import termios
import uuid
from collections.abc import Sized

from django.conf import settings
from typing_extensions import override
from uvicorn.protocols.http.flow_control import FlowControl
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.server import ServerState

from api.headers import SECURITY

READ_ON_BYTES = 64 * 1024  # of an answer that a client takes within ``slow_answer_seconds``


def own_headers() -> list[tuple[bytes, bytes]]:
    """Return the headers of every answer, for those that no application gives."""
    return [*SECURITY.items(), (b"x-request-id", uuid.uuid4().hex.encode())]


class PatientFlow(FlowControl):
    """uvicorn's flow control, which reads no more of a client while requests of it wait.

    uvicorn reads on whenever one begins or has been answered: who pipelines would fill memory.
    """

    def __init__(self, transport: asyncio.Transport, waiting: Sized) -> None:
        super().__init__(transport)
        self._waiting = waiting

    @override
    def resume_reading(self) -> None:
        if not self._waiting:
            super().resume_reading()


def _unread(transport: asyncio.Transport) -> int:
    """Return how many bytes the other side has not acknowledged (SIOCOUTQ, tcp(7))."""
    descriptor = transport.get_extra_info("socket").fileno()
    in_kernel = fcntl.ioctl(descriptor, termios.TIOCOUTQ, bytes(4))
    return int.from_bytes(in_kernel, sys.byteorder) + transport.get_write_buffer_size()


class HttpProtocol(HttpToolsProtocol):
    """uvicorn's protocol, which waits for no client that does not read on in its answer.

    Its own refusal has the headers of every answer.
    """

    _reading: asyncio.TimerHandle | None = None

    @override
    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn
        super().connection_made(transport)
        self.flow = PatientFlow(transport, self.pipeline)

    @override
    def pause_writing(self) -> None:
        super().pause_writing()
        self._wait_for_reader()

    @override
    def resume_writing(self) -> None:
        super().resume_writing()
        self._stop_waiting()

    @override
    def connection_lost(self, exc: Exception | None) -> None:
        self._stop_waiting()
        super().connection_lost(exc)

    def _wait_for_reader(self) -> None:
        seconds = settings.LIMITS.slow_answer_seconds
        if seconds is not None:
            before = _unread(self.transport)
            self._reading = self.loop.call_later(seconds, self._check_reader, before)

    def _check_reader(self, before: int) -> None:
        """Cut off who is too slow; that the kernel takes nothing yet does not say so."""
        if before - _unread(self.transport) < READ_ON_BYTES:
            self.transport.abort()
        else:
            self._wait_for_reader()

    def _stop_waiting(self) -> None:
        if self._reading is not None:
            self._reading.cancel()
            self._reading = None

    @override
    def send_400_response(self, msg: str) -> None:
        shared, self.server_state = self.server_state, ServerState()
        self.server_state.default_headers = [*shared.default_headers, *own_headers()]
        super().send_400_response(msg)
        self.server_state = shared
