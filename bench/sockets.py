"""WebSockets from the outside: fan-out, idle sockets, sends, subscribing."""

import json
import time
import uuid
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import redis
from channels.layers import get_channel_layer

from api.access import heads
from api.log import publish
from api.log.frames import Frame
from bench import cast
from bench.process import cpu_seconds, resident_kib
from bench.rest import Connection, request
from bench.serving import ENV, Serving
from bench.wire import Client, Crowd

TEXT = "as long as the messages of people in a chat usually are"  # frames of about 110 bytes
SETTLE_SECONDS = 1.5


class Fan(NamedTuple):
    """What one delivery cost."""

    cpu_us: float
    per_second: float
    p50_ms: float
    p99_ms: float


class Idle(NamedTuple):
    """What one idle socket costs."""

    kib: float
    connect_us: float


class Sends(NamedTuple):
    """What a persisted send over a socket costs."""

    per_second: float
    p50_ms: float
    cpu_ms: float


def fan(
    crowd: Crowd, pids: Sequence[int], say: Callable[[int], None], *, messages: int, window: int
) -> Fan:
    """Say so many messages, ``window`` at a time, and count until all have come everywhere."""
    size = len(crowd.clients)
    latencies = []
    said = 0

    def each(got: int, frame: bytes) -> None:
        nonlocal said
        if got % 61 == 0:
            at = int(frame.partition(b'"t":')[2].partition(b",")[0].partition(b"}")[0])
            latencies.append((time.monotonic_ns() - at) / 1e6)
        while said < messages and said * size - got < (window - 1) * size + 1:
            said += 1
            say(said)

    cpu, start = cpu_seconds(*pids), time.perf_counter()
    for _ in range(window):
        said += 1
        say(said)
    crowd.count(messages * size, b'"t":', each)
    wall, cpu = time.perf_counter() - start, cpu_seconds(*pids) - cpu
    latencies.sort()
    deliveries = messages * size
    return Fan(
        cpu_us=cpu / deliveries * 1e6,
        per_second=deliveries / wall,
        p50_ms=latencies[len(latencies) // 2],
        p99_ms=latencies[int(len(latencies) * 0.99)],
    )


class Room:
    """A room with subscribers, and a publisher that is another process: this one."""

    def __init__(self, servings: Sequence[Serving], size: int) -> None:
        self.alice = cast.somebody()
        self.id = cast.room_of(self.alice)
        devices = [cast.device_of(self.alice) for _ in range(size)]  # no token is known already
        self.crowd = Crowd(
            [
                Client(
                    servings[n % len(servings)].port,
                    f"/ws/rooms/{self.id}/?token={device.token}",
                )
                for n, device in enumerate(devices)
            ]
        )
        self.crowd.quiet()
        self._head = heads([self.id])[self.id]
        self._layer: Any = get_channel_layer()
        self._redis = redis.Redis.from_url(ENV["REDIS_URL"])
        self._group = f"{ENV.get('REDIS_PREFIX', 'gapless')}__group__" + publish.group_of(
            str(self.id)
        )

    def publish(self, _: int) -> None:
        """Publish the next event of the room, as a server does that has recorded it."""
        self._head += 1
        frame = {"type": "message.created", "t": time.monotonic_ns(), "text": TEXT}
        message = publish.message_of(Frame(str(self.id), self._head, json.dumps(frame)))
        self._redis.publish(self._group, self._layer.serialize(message))

    def send(self, number: int) -> None:
        """Send a message over the first socket, persisted and all."""
        self.crowd.clients[0].send(
            {
                "type": "message.send",
                "room_id": str(self.id),
                "text": TEXT,
                "metadata": {"t": time.monotonic_ns()},
                "client_msg_id": str(number),
            }
        )


def textbook_room(serving: Serving, size: int) -> tuple[Crowd, Callable[[int], None]]:
    """Connect to the textbook consumer; return the crowd and how to say something."""
    crowd = Crowd([Client(serving.port, "/ws/") for _ in range(size)])
    crowd.quiet()

    def say(_: int) -> None:
        crowd.clients[0].send({"t": time.monotonic_ns(), "text": TEXT, "type": "message"})

    return crowd, say


def socketio_room(serving: Serving, size: int) -> tuple[Crowd, Callable[[int], None]]:
    """Connect to Socket.IO; return the crowd and how to say something."""
    clients = []
    for _ in range(size):
        client = Client(serving.port, "/socket.io/?EIO=4&transport=websocket")
        client.until(b'"sid"')
        client.send_text("40")
        client.until(b"40{")
        clients.append(client)
    crowd = Crowd(clients)
    crowd.quiet()

    def say(_: int) -> None:
        content = json.dumps({"t": time.monotonic_ns(), "text": TEXT, "type": "message"})
        crowd.clients[0].send_text(f'42["say",{content}]')

    return crowd, say


def idle(serving: Serving, size: int) -> Idle:
    """Connect so many sockets, each subscribed to a room, and let them be."""
    Room([serving], 20).crowd.close()
    time.sleep(SETTLE_SECONDS)
    memory, cpu = resident_kib(serving.pid), cpu_seconds(serving.pid)
    room = Room([serving], size)
    time.sleep(SETTLE_SECONDS)
    found = Idle(
        kib=(resident_kib(serving.pid) - memory) / size,
        connect_us=(cpu_seconds(serving.pid) - cpu) / size * 1e6,
    )
    room.crowd.close()
    return found


def connect_cost(serving: Serving, size: int) -> float:
    """Return what it costs (µs of CPU) to connect and get ``hello``, one after the other."""
    alice = cast.somebody()
    paths = [f"/ws/?token={cast.device_of(alice).token}" for _ in range(size)]
    cpu = cpu_seconds(serving.pid)
    crowd = Crowd([Client(serving.port, path) for path in paths])
    crowd.quiet()
    found = (cpu_seconds(serving.pid) - cpu) / size * 1e6
    crowd.close()
    return found


def sends(serving: Serving, total: int, in_flight: int) -> Sends:
    """Send from so many sockets at once, one message in flight on each."""
    alice = cast.somebody()
    rooms = [str(cast.room_of(alice)) for _ in range(8)]
    clients = [Client(serving.port, f"/ws/?token={alice.token}") for _ in range(in_flight)]
    crowd = Crowd(clients)
    crowd.quiet()
    sent_at: dict[int, float] = {}
    times = []

    def send(number: int) -> None:
        sent_at[number] = time.perf_counter()
        clients[number % in_flight].send(
            {
                "type": "message.send",
                "id": number,
                "room_id": rooms[number % len(rooms)],
                "text": TEXT,
                "client_msg_id": uuid.uuid4().hex,
            }
        )

    def each(_: int, frame: bytes) -> None:
        number = int(frame.partition(b'"id":')[2].partition(b",")[0])
        times.append(time.perf_counter() - sent_at.pop(number))
        if number + in_flight < total:
            send(number + in_flight)

    cpu, start = cpu_seconds(serving.pid), time.perf_counter()
    for number in range(in_flight):
        send(number)
    crowd.count(total, b'"type":"ok"', each)
    wall, cpu = time.perf_counter() - start, cpu_seconds(serving.pid) - cpu
    crowd.close()
    times.sort()
    return Sends(total / wall, times[len(times) // 2] * 1000, cpu / total * 1000)


def across_doors(serving: Serving, total: int, per_second: float) -> tuple[float, float]:
    """Post at a steady rate; return p50 and p99 (ms) until another socket has the frame."""
    alice, bob = cast.somebody(), cast.somebody()
    room = cast.room_of(alice, bob)
    listener = Client(serving.port, f"/ws/rooms/{room}/?token={bob.token}")
    listener.until(b'"subscribed"')
    poster = Connection(serving.port)
    times = []
    due = time.perf_counter()
    for number in range(total):
        due += 1 / per_second
        time.sleep(max(due - time.perf_counter(), 0))
        start = time.perf_counter()
        body = {"text": TEXT, "client_msg_id": str(number)}
        poster.send(request("POST", f"/rooms/{room}/messages", alice.token, body))
        listener.until(f'"client_msg_id":"{number}"'.encode())
        times.append(time.perf_counter() - start)
        while poster.answer() is None:
            pass
    listener.close()
    times.sort()
    return times[len(times) // 2] * 1000, times[int(len(times) * 0.99)] * 1000


def subscribe_many(serving: Serving, rooms: int, times: int) -> float:
    """Return how long (ms) it takes to connect and subscribe to so many streams."""
    alice, bob = cast.somebody(), cast.somebody()
    streams = dict.fromkeys((str(cast.room_of(alice, bob)) for _ in range(rooms)), None)
    taken = []
    for _ in range(times):
        start = time.perf_counter()
        client = Client(serving.port, f"/ws/?token={alice.token}")
        client.until(b'"hello"')
        client.send({"type": "subscribe", "streams": streams})
        client.until(b'"subscribed"')
        taken.append(time.perf_counter() - start)
        client.close()
    return sorted(taken)[len(taken) // 2] * 1000
