"""REST from the outside: raw sockets that keep their connections, one request in flight each."""

import json
import select
import socket
import time
import uuid
from collections.abc import Callable
from typing import NamedTuple

from bench import cast
from bench.process import cpu_seconds
from bench.serving import Serving

ANSWER_SECONDS = 30.0


class Load(NamedTuple):
    """What a number of requests cost."""

    per_second: float
    p50_ms: float
    p99_ms: float
    cpu_ms: float


def request(method: str, path: str, token: str, body: object = None) -> bytes:
    """Return a request as bytes."""
    raw = b"" if body is None else json.dumps(body).encode()
    head = (
        f"{method} /api/v1{path} HTTP/1.1\r\nHost: 127.0.0.1\r\n"
        f"Authorization: Bearer {token}\r\nContent-Type: application/json\r\n"
        f"Content-Length: {len(raw)}\r\n\r\n"
    )
    return head.encode() + raw


class Connection:
    """A keep-alive connection with one request under way."""

    def __init__(self, port: int) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._data = b""
        self.sent_at = 0.0

    def send(self, raw: bytes) -> None:
        """Send a request."""
        self.sent_at = time.perf_counter()
        self.socket.sendall(raw)

    def answer(self) -> bytes | None:
        """Read what has come; return the body once it is whole.

        Raises:
            ConnectionError: it was refused, or the server is gone.
        """
        got = self.socket.recv(1 << 20)
        if not got:
            raise ConnectionError("closed")
        self._data += got
        head, found, body = self._data.partition(b"\r\n\r\n")
        if not found:
            return None
        length = int(head.lower().partition(b"content-length:")[2].partition(b"\r\n")[0])
        if len(body) < length:
            return None
        self._data = b""
        if head[9:10] != b"2":
            raise ConnectionError(head.decode() + body.decode())
        return body


class _Hammer:
    """A number of connections, each with one request under way."""

    def __init__(self, port: int, make: Callable[[int], bytes], clients: int, total: int) -> None:
        self._make, self._total = make, total
        self._sent = self._done = 0
        self.times: list[float] = []
        self._epoll = select.epoll()
        self._connections: dict[int, Connection] = {}
        for _ in range(clients):
            connection = Connection(port)
            self._connections[connection.socket.fileno()] = connection
            self._epoll.register(connection.socket, select.EPOLLIN)

    def run(self) -> None:
        """Send all requests and wait for all answers."""
        for connection in self._connections.values():
            self._send(connection)
        while self._done < self._sent:
            ready = self._epoll.poll(ANSWER_SECONDS)
            if not ready:
                raise TimeoutError(f"{self._done} of {self._sent}")
            for fd, _ in ready:
                self._read(self._connections[fd])
        self._epoll.close()
        for connection in self._connections.values():
            connection.socket.close()

    def _send(self, connection: Connection) -> None:
        if self._sent < self._total:
            connection.send(self._make(self._sent))
            self._sent += 1

    def _read(self, connection: Connection) -> None:
        if connection.answer() is not None:
            self.times.append(time.perf_counter() - connection.sent_at)
            self._done += 1
            self._send(connection)


def load(serving: Serving, make: Callable[[int], bytes], *, clients: int, total: int) -> Load:
    """Send ``total`` requests from so many connections; ``make`` gives the n-th one."""
    hammer = _Hammer(serving.port, make, clients, total)
    cpu, start = cpu_seconds(serving.pid), time.perf_counter()
    hammer.run()
    wall, cpu = time.perf_counter() - start, cpu_seconds(serving.pid) - cpu
    times = sorted(hammer.times)
    return Load(
        per_second=len(times) / wall,
        p50_ms=times[len(times) // 2] * 1000,
        p99_ms=times[int(len(times) * 0.99)] * 1000,
        cpu_ms=cpu / len(times) * 1000,
    )


def sends(serving: Serving, total: int, clients: int = 8) -> Load:
    """Measure persisted sends: each client into a room of its own half the time."""
    alice, bob = cast.somebody(), cast.somebody()
    rooms = [cast.room_of(alice, bob) for _ in range(4)]

    def make(number: int) -> bytes:
        body = {
            "text": f"message {number} of the bench, as long as people's messages are",
            "client_msg_id": uuid.uuid4().hex,
        }
        return request("POST", f"/rooms/{rooms[number % 4]}/messages", alice.token, body)

    load(serving, make, clients=clients, total=clients * 10)
    return load(serving, make, clients=clients, total=total)


def history(serving: Serving, messages: int, total: int) -> Load:
    """Measure pages of 50 at random places of a room with so many messages."""
    alice = cast.somebody()
    room = cast.room_of(alice)
    cast.fill(room, alice, messages)

    def make(number: int) -> bytes:
        before = 60 + (number * 7919) % max(messages - 60, 1)
        return request("GET", f"/rooms/{room}/messages?limit=50&before={before}", alice.token)

    load(serving, make, clients=4, total=100)
    return load(serving, make, clients=4, total=total)


def sync(serving: Serving, rooms: int, total: int) -> Load:
    """Measure ``GET /sync`` with so many rooms, one at a time."""
    alice, bob = cast.somebody(), cast.somebody()
    for _ in range(rooms):
        cast.fill(cast.room_of(alice, bob), bob, 20)

    def make(_: int) -> bytes:
        return request("GET", "/sync", alice.token)

    load(serving, make, clients=1, total=3)
    return load(serving, make, clients=1, total=total)
