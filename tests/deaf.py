"""A WebSocket client that reads only when it is told to, and answers no ping."""

import json
import socket
import time
from collections import deque
from contextlib import suppress
from typing import Any, Self

from websockets.client import ClientProtocol
from websockets.frames import Frame, Opcode
from websockets.uri import parse_uri

SMALL_BUFFER, SMALL_SEGMENT = 4096, 536  # bytes, so that the system takes little for it
WAIT_SECONDS = 30.0


def small_socket(port: int) -> socket.socket:
    """Connect a socket that takes little before it is read from."""
    made = socket.socket()
    made.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, SMALL_BUFFER)
    made.setsockopt(socket.IPPROTO_TCP, socket.TCP_MAXSEG, SMALL_SEGMENT)
    made.settimeout(WAIT_SECONDS)
    made.connect(("127.0.0.1", port))
    return made


class Deaf:
    """One socket; used with ``with``."""

    def __init__(self, url: str, token: str) -> None:
        uri = parse_uri(f"{url}{'&' if '?' in url else '?'}token={token}")
        self.socket = small_socket(uri.port)
        self.protocol = ClientProtocol(uri, max_size=None)
        self._unread: deque[dict[str, Any]] = deque()
        self.protocol.send_request(self.protocol.connect())
        self._flush()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.socket.close()

    def command(self, kind: str, **fields: Any) -> None:
        """Send a command."""
        self.protocol.send_text(json.dumps({"type": kind, **fields}).encode())
        self._flush()

    def until(self, kind: str) -> dict[str, Any]:
        """Read up to the next frame of a type."""
        while True:
            while self._unread:
                frame = self._unread.popleft()
                if frame["type"] == kind:
                    return frame
            self._unread.extend(self._read())

    def rest(self) -> tuple[list[dict[str, Any]], int]:
        """Read to the end; return the frames and the close code."""
        frames = list(self._unread)
        with suppress(ConnectionError, EOFError):
            while self.protocol.close_rcvd is None:
                frames += self._read()
        received = self.protocol.close_rcvd
        return frames, received.code if received else 1006

    def wait_cut(self) -> None:
        """Wait, without reading, until the server has let go of the socket."""
        end = time.monotonic() + WAIT_SECONDS
        with suppress(ConnectionError):
            while time.monotonic() < end:
                self.socket.send(Frame(Opcode.PONG, b"").serialize(mask=True))
                time.sleep(0.05)
            raise TimeoutError("the server keeps it")

    def _read(self) -> list[dict[str, Any]]:
        data = self.socket.recv(65_536)
        if not data:
            raise EOFError
        self.protocol.receive_data(data)
        self.protocol.data_to_send()  # what would answer pings is dropped
        events = self.protocol.events_received()
        texts = [e.data for e in events if isinstance(e, Frame) and e.opcode is Opcode.TEXT]
        return [json.loads(bytes(text)) for text in texts]

    def _flush(self) -> None:
        self.socket.sendall(b"".join(self.protocol.data_to_send()))
