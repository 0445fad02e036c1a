"""WebSocket clients by the thousand: raw sockets and epoll, never the bottleneck."""

import json
import select
import socket
import struct
import time
from collections.abc import Callable
from typing import Any

STALLED_SECONDS = 20.0
_HANDSHAKE = (
    "GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nUpgrade: websocket\r\n"
    "Connection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
    "Sec-WebSocket-Version: 13\r\n\r\n"
)


class Stalled(Exception):
    """Nothing came for too long."""


class Client:
    """One socket; counts whole frames without looking into them."""

    def __init__(self, port: int, path: str) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.socket.sendall(_HANDSHAKE.format(path=path, port=port).encode())
        answer, _, self._rest = self._until(b"\r\n\r\n").partition(b"\r\n\r\n")
        if b" 101 " not in answer.split(b"\r\n", 1)[0]:
            raise ConnectionError(answer.decode("latin-1"))

    def send(self, frame: Any) -> None:
        """Send a JSON text frame."""
        self.send_text(json.dumps(frame))

    def send_text(self, text: str) -> None:
        """Send a text frame, masked with zeros."""
        body = text.encode()
        if len(body) < 126:
            head = struct.pack("!BB", 0x81, 0x80 | len(body))
        else:
            head = struct.pack("!BBH", 0x81, 0x80 | 126, len(body))
        self.socket.sendall(head + b"\0\0\0\0" + body)

    def frames(self) -> list[bytes]:
        """Return the payloads of what has come; waits when nothing has."""
        found, self._rest = split(self._rest)  # the first may have come with the handshake
        if found:
            return found
        data = self._rest + self.socket.recv(1 << 20)
        if len(data) == len(self._rest):
            raise ConnectionError("closed")
        found, self._rest = split(data)
        return found

    def until(self, word: bytes) -> bytes:
        """Wait for the frame that has this in it, and return it."""
        while True:
            for frame in self.frames():
                if word in frame:
                    return frame

    def close(self) -> None:
        """Cut it."""
        self.socket.close()

    def _until(self, end: bytes) -> bytes:
        data = b""
        while end not in data:
            got = self.socket.recv(65536)
            if not got:
                raise ConnectionError(data.decode("latin-1"))
            data += got
        return data


def split(data: bytes) -> tuple[list[bytes], bytes]:
    """Cut a server's bytes into whole frames' payloads and the rest."""
    found, place, size = [], 0, len(data)
    while size - place >= 2:
        length, start = data[place + 1], place + 2
        if length == 126:
            if size - place < 4:
                break
            length, start = int.from_bytes(data[place + 2 : place + 4], "big"), place + 4
        elif length == 127:
            if size - place < 10:
                break
            length, start = int.from_bytes(data[place + 2 : place + 10], "big"), place + 10
        if size - start < length:
            break
        found.append(data[start : start + length])
        place = start + length
    return found, data[place:]


class Crowd:
    """Many clients, read together."""

    def __init__(self, clients: list[Client]) -> None:
        self.clients = clients
        self._epoll = select.epoll()
        self._by_fd = {client.socket.fileno(): client for client in clients}
        for fd in self._by_fd:
            self._epoll.register(fd, select.EPOLLIN)

    def quiet(self, seconds: float = 1.0) -> None:
        """Read away what comes until nothing comes for so long."""
        while ready := self._epoll.poll(seconds):
            for fd, _ in ready:
                self._by_fd[fd].frames()

    def count(self, want: int, word: bytes, each: Callable[[int, bytes], None]) -> None:
        """Read until so many frames with this in them have come; ``each`` sees them.

        Raises:
            Stalled: nothing came for too long.
        """
        got, last = 0, time.monotonic()
        while got < want:
            ready = self._epoll.poll(1.0)
            now = time.monotonic()
            if not ready and now - last > STALLED_SECONDS:
                raise Stalled(f"{got} of {want}")
            for fd, _ in ready:
                last = now
                for frame in self._by_fd[fd].frames():
                    if word in frame:
                        got += 1
                        each(got, frame)

    def close(self) -> None:
        """Cut them all."""
        self._epoll.close()
        for client in self.clients:
            client.close()
