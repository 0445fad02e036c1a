"""Many requests on one connection before the first is answered (RFC 9112, section 9.3.2).

The naive form is uvicorn's own: it reads on whenever a request begins or has been answered, so
what one client sends without waiting all piles up in memory.
"""

import asyncio
from typing import Any

import uvicorn

from realtime.http_protocol import HttpProtocol
from tests.doors import serving

REQUESTS = 4_000
LONG = 1_024  # bytes of a request, so that one read holds few
READ_BYTES = 256 * 1024  # the most that a loop reads at once


class Counting:
    """An application that answers each request with its path, and looks at what waits."""

    def __init__(self) -> None:
        self.waiting_max = 0
        self.server: uvicorn.Server | None = None

    async def __call__(self, scope: dict[str, Any], receive: Any, send: Any) -> None:
        await receive()
        await asyncio.to_thread(int)  # what answers takes a moment, in which the loop may read
        assert self.server is not None
        connections: Any = self.server.server_state.connections
        for protocol in connections:
            self.waiting_max = max(self.waiting_max, len(protocol.pipeline))
        body = scope["path"].encode()
        headers = [(b"content-length", str(len(body)).encode())]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": body})


def request(number: int) -> bytes:
    """Return a request that is so long."""
    head = b"GET /%d HTTP/1.1\r\nHost: localhost\r\nX-Padding: " % number
    return head + b"x" * (LONG - len(head) - 4) + b"\r\n\r\n"


async def test_what_is_sent_without_waiting_is_read_no_faster_than_it_is_answered() -> None:
    app = Counting()
    async with serving(app, http=HttpProtocol) as server:
        app.server = server
        port = server.config.port
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"".join(map(request, range(REQUESTS))))
        for number in range(REQUESTS):
            head = await reader.readuntil(b"\r\n\r\n")
            assert head.startswith(b"HTTP/1.1 200 ")
            body = b"/%d" % number
            assert await reader.readexactly(len(body)) == body
        writer.close()
        await writer.wait_closed()
    assert 0 < app.waiting_max <= 2 * READ_BYTES // LONG
