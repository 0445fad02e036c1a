"""The uvicorn runner: our limits, our pings, one process or several."""

import contextlib
import resource
import socket
from collections.abc import Callable
from functools import partial
from typing import Any, cast

import uvicorn
from django.conf import settings
from django.core.management.base import CommandError
from typing_extensions import override
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.frames import Frame, Opcode
from websockets.http11 import Response
from websockets.server import ServerProtocol
from websockets.typing import StatusLike

from api import metrics
from realtime import protocol
from realtime.close_codes import MESSAGE_TOO_BIG, NO_PONG
from realtime.draining import ChatServer
from realtime.http_protocol import HttpProtocol, own_headers
from realtime.workers import Workers

BACKLOG = 2048  # connections that wait to be accepted: all of them, after a restart
REQUESTS_SECONDS = 30  # for requests under way when the grace time is over
KEEP_ALIVE_SECONDS = 75  # balancers keep 60 s: who closes first loses no request under way
CLOSING_SECONDS = 5  # for a client to take what was written, and to answer the close


class Handshake(ServerProtocol):
    """websockets' protocol, whose own refusals have the headers of every answer."""

    @override
    def reject(self, status: StatusLike, text: str) -> Response:
        response = super().reject(status, text)
        for name, value in own_headers():
            response.headers[name.decode()] = value.decode()
        return response


class ChatProtocol(WebSocketsSansIOProtocol):
    """uvicorn's protocol, which also offers its transport, and says why it gives up."""

    congested = False
    _on_drained: Callable[[], None] | None = None
    _heard_at = 0.0

    def __init__(self, config: uvicorn.Config, *args: Any, **kwargs: Any) -> None:
        super().__init__(config, *args, **kwargs)
        self.conn = Handshake(max_size=config.ws_max_size, logger=self.logger)

    @override
    def data_received(self, data: bytes) -> None:
        self._heard_at = self.loop.time()
        super().data_received(data)
        if self.conn.handshake_exc is not None and not self.handshake_initiated:
            self.transport.write(b"".join(self.conn.data_to_send()))
            self.transport.close()  # a head that it could not read: uvicorn would say nothing

    @override
    def connection_lost(self, exc: Exception | None) -> None:
        self.congested = False
        super().connection_lost(exc)

    @override
    async def run_asgi(self) -> None:
        extensions: dict[str, Any] = cast(Any, self.scope["extensions"])
        extensions["gapless.direct"] = self
        await super().run_asgi()
        self._cut_soon()

    def write(self, data: bytes) -> None:
        """Write bytes of whole frames (``realtime.direct.Direct``, as all up to ``abort``)."""
        if not self.close_sent and not self.transport.is_closing():
            self.transport.write(data)

    def buffered(self) -> int:
        return self.transport.get_write_buffer_size()

    async def drained(self) -> None:
        await self.writable.wait()

    def on_drained(self, act: Callable[[], None]) -> None:
        self._on_drained = act

    @override
    def pause_writing(self) -> None:
        super().pause_writing()
        self.congested = True

    @override
    def resume_writing(self) -> None:
        super().resume_writing()
        self.congested = False
        if self._on_drained is not None:
            self._on_drained()

    def owes_pong(self) -> bool:
        return self.pending_ping_payload is not None and not self.read_paused

    def heard_at(self) -> float:
        return self.loop.time() if self.read_paused else self._heard_at  # it may have said much

    def parted(self) -> bool:
        return self.conn.close_rcvd is not None  # to ASGI, uvicorn says 1005 of either

    def abort(self) -> None:
        self.transport.abort()

    def _cut_soon(self) -> None:
        """Closing waits until the client has taken everything: that may be never."""
        self.loop.call_later(CLOSING_SECONDS, self.transport.abort)

    @override
    def handle_ping(self) -> None:
        if self.writable.is_set():
            super().handle_ping()
        else:
            self.conn.data_to_send()  # pongs that nobody reads would pile up

    @override
    def keepalive_timeout(self) -> None:
        if self.read_paused:  # its pong may be behind what it has asked for
            self.pong_timer = self.loop.call_later(self.ping_timeout or 0, self.keepalive_timeout)
            return
        self.pong_timer = self.pending_ping_payload = None
        if self.close_sent or self.transport.is_closing():
            return
        metrics.sockets_closed.labels(NO_PONG.code).inc()
        self.conn.send_text(protocol.bye(NO_PONG).text.encode())
        self.conn.send_close(NO_PONG.code, NO_PONG.reason)
        self.transport.write(b"".join(self.conn.data_to_send()))
        self.close_sent = True
        self.transport.close()
        self._cut_soon()

    @override
    def handle_parser_exception(self) -> None:
        closing = self.conn.close_sent
        if closing is not None and closing.code == MESSAGE_TOO_BIG.code and self.handshake_complete:
            metrics.sockets_closed.labels(MESSAGE_TOO_BIG.code).inc()
            last_words = protocol.bye(MESSAGE_TOO_BIG).text.encode()
            self.transport.write(Frame(Opcode.TEXT, last_words).serialize(mask=False))
        super().handle_parser_exception()


def serve(
    *, host: str, port: int, count: int = 1, announce: Callable[[], None] = lambda: None
) -> None:
    """Serve with so many processes until told to stop; announce it when the port is ours.

    Raises:
        CommandError: the port cannot be had, or a worker cannot start.
    """
    _raise_file_limit()
    sockets = listen(host, port)
    announce()
    if count == 1:
        ChatServer(_config()).run(sockets)
    elif not Workers(sockets, partial(_work, sockets)).run(count):
        raise CommandError("A worker could not start.")


def listen(host: str, port: int) -> list[socket.socket]:
    """Return a socket for every address that a host has; nobody is accepted yet.

    Raises:
        CommandError: an address is in use, not ours, or there is none.
    """
    sockets: list[socket.socket] = []
    try:
        found = socket.getaddrinfo(host or None, port, 0, socket.SOCK_STREAM, 0, socket.AI_PASSIVE)
        for family, address in dict.fromkeys((info[0], info[4]) for info in found):
            sockets.append(socket.create_server(address, family=family, backlog=BACKLOG))
    except OSError as error:
        raise CommandError(f"{host}:{port}: {error.strerror}.") from None
    return sockets


def _work(sockets: list[socket.socket], supervisor: int) -> None:
    ChatServer(_config(), supervisor).run(sockets)


def _config() -> uvicorn.Config:
    limits = settings.LIMITS
    return uvicorn.Config(
        "config.asgi:application",
        loop="uvloop",
        http=HttpProtocol,
        ws=ChatProtocol,
        ws_max_size=limits.frame_bytes or 2**31,
        ws_ping_interval=limits.heartbeat_seconds,
        ws_ping_timeout=limits.pong_seconds,
        ws_per_message_deflate=False,
        lifespan="on",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        backlog=BACKLOG,
        timeout_keep_alive=KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=REQUESTS_SECONDS,
    )


def _raise_file_limit() -> None:
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    with contextlib.suppress(ValueError, OSError):  # as many as we are given
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
