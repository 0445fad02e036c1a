"""Measure the figures B1 to B12 and print them; started by ``python -m bench``."""

import argparse
import json
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import django

django.setup()

from bench import rest, serving, sockets
from bench.figures import Figure, machine, table, to_json
from bench.plot import Picture, draw
from tests.servers import PROJECT

HISTORY = PROJECT.parent / "shared" / "data" / "ubuntu-irc.jsonl"
PEER = ("socket.io@4.8.1", "@socket.io/redis-adapter@8.3.0", "redis@4.7.0")


class Bench:
    """One run; ``quick`` measures less and less exactly."""

    def __init__(self, *, quick: bool) -> None:
        self.quick = quick
        self.fan_out = Picture(
            "cost-per-delivery.png", "subscribers in one room", "CPU per delivery (µs)"
        )
        self.history = Picture(
            "history.png", "messages in the room", "CPU per page of 50 messages (ms)"
        )
        self._peer: Path | None = None

    def few(self, number: int) -> int:
        """Return how many of something to do."""
        return max(number // 10, 1) if self.quick else number

    def b1(self) -> Iterator[Figure]:
        sizes = ((200, "≤ 5 µs"), (self.few(1_000), ""), (self.few(5_000), "≤ 10 µs"))
        for size, reach in sizes:
            messages = max(self.few(400_000) // size, 3)
            with serving.gapless() as server:
                room = sockets.Room([server], size)
                ours = sockets.fan(
                    room.crowd, [server.pid], room.publish, messages=messages, window=1
                )
                room.crowd.close()
            baseline = self._textbook(size, max(messages // 40, 3), 1)
            peer = self._socketio(size, messages, 1)
            self.fan_out.add("Gapless", size, ours.cpu_us)
            self.fan_out.add("textbook consumer on Daphne", size, baseline.cpu_us)
            self.fan_out.add("Socket.IO with its Redis adapter", size, peer and peer.cpu_us)
            yield Figure(
                "B1",
                f"CPU per delivery, {size} subscribers",
                ours.cpu_us,
                "µs",
                reach,
                baseline.cpu_us,
                peer and peer.cpu_us,
                f"{ours.per_second:,.0f}/s",
            )
        with serving.gapless() as server:
            room = sockets.Room([server], 200)
            ours = sockets.fan(
                room.crowd, [server.pid], room.send, messages=self.few(1_000), window=1
            )
            room.crowd.close()
        yield Figure(
            "B1",
            "the same, 200, each message persisted",
            ours.cpu_us,
            "µs",
            "",
            note="send included",
        )

    def b2(self) -> Iterator[Figure]:
        messages = self.few(5_000)
        with serving.gapless() as server:
            room = sockets.Room([server], 200)
            ours = sockets.fan(room.crowd, [server.pid], room.publish, messages=messages, window=16)
            room.crowd.close()
        peer = self._socketio(200, messages, 16)
        yield Figure(
            "B2",
            "CPU per delivery, 200 subscribers, 16 in flight",
            ours.cpu_us,
            "µs",
            "≤ 1.8 µs",
            None,
            peer and peer.cpu_us,
            f"{ours.per_second:,.0f}/s, p50 {ours.p50_ms:.1f} ms",
        )

    def b3(self) -> Iterator[Figure]:
        size = self.few(5_000)
        with serving.gapless() as server:
            found = sockets.idle(server, size)
        with serving.gapless() as server:
            connect_us = sockets.connect_cost(server, self.few(2_000))
        yield Figure("B3", f"memory per idle socket, {size}", found.kib, "KiB", "≤ 28 KiB")
        yield Figure("B3", "CPU per connect with JWT, to hello", connect_us, "µs", "≤ 700 µs")
        yield Figure(
            "B3",
            "the same, and subscribed to a room",
            found.connect_us,
            "µs",
            "",
            note="two queries",
        )

    def b4(self) -> Iterator[Figure]:
        with serving.gapless() as server:
            found = rest.sends(server, self.few(5_000))
        yield Figure(
            "B4", "persisted sends over REST, 8 clients", found.per_second, "/s", "≥ 600/s"
        )
        yield Figure("B4", "p99 of these", found.p99_ms, "ms", "≤ 100 ms")
        yield Figure("B4", "CPU of one", found.cpu_ms, "ms", "≤ 1.5 ms")

    def b5(self) -> Iterator[Figure]:
        with serving.gapless() as server:
            found = sockets.sends(server, self.few(20_000), 64)
        yield Figure(
            "B5",
            "persisted sends over WebSocket, 64 in flight",
            found.per_second,
            "/s",
            "≥ 3,000/s",
            note=f"p50 {found.p50_ms:.0f} ms, {found.cpu_ms:.2f} ms CPU",
        )

    def b6(self) -> Iterator[Figure]:
        many = self.few(1_000_000)
        with serving.gapless() as server:
            small = rest.history(server, 1_000, self.few(2_000))
            large = rest.history(server, many, self.few(2_000))
            middle = rest.history(server, self.few(30_000), self.few(2_000))
        for size, found in ((1_000, small), (self.few(30_000), middle), (many, large)):
            self.history.add("Gapless", size, found.cpu_ms)
        yield Figure("B6", "history page of 50, 1,000 messages", small.per_second, "/s", "≥ 900/s")
        yield Figure("B6", f"the same, {many:,} messages", large.per_second, "/s", "≥ 900/s")
        yield Figure("B6", "ratio of their CPU", large.cpu_ms / small.cpu_ms, "", "≤ 1.2")

    def b7(self) -> Iterator[Figure]:
        with serving.gapless() as server:
            p50, p99 = sockets.across_doors(server, self.few(2_000), 100)
        yield Figure("B7", "POST → frame on another socket, p50", p50, "ms", "≤ 5 ms")
        yield Figure("B7", "the same, p99", p99, "ms", "≤ 25 ms")

    def b8(self) -> Iterator[Figure]:
        messages = self.few(3_000)
        costs = []
        for count in (1, 2):
            with serving.gapless() as first, serving.gapless() as second:
                servers = [first, second][:count]
                room = sockets.Room(servers, 200)
                pids = [server.pid for server in servers]
                costs.append(
                    sockets.fan(room.crowd, pids, room.publish, messages=messages, window=1)
                )
                room.crowd.close()
        ratio = costs[1].cpu_us / costs[0].cpu_us
        yield Figure("B8", "CPU per delivery, two processes : one", ratio, "", "≤ 1.18")

    def b9(self) -> Iterator[Figure]:
        taken = sorted(serving.seconds_to_first_answer() for _ in range(3))[1]
        yield Figure("B9", "serve → first answer", taken, "s", "≤ 2 s")

    def b10(self) -> Iterator[Figure]:
        if not HISTORY.exists():
            yield Figure("B10", "import of 20,295 real messages", None, "s", "≤ 60 s")
            return
        start = time.perf_counter()
        command = [sys.executable, "manage.py", "import_history", str(HISTORY)]
        subprocess.run(command, cwd=PROJECT, check=True, capture_output=True)
        taken = time.perf_counter() - start
        yield Figure("B10", "import of 20,295 real messages", taken, "s", "≤ 60 s")

    def b11(self) -> Iterator[Figure]:
        with serving.gapless() as server:
            found = rest.sync(server, 500, self.few(30))
            subscribed = sockets.subscribe_many(server, 500, 9)
        yield Figure("B11", "sync with 500 rooms, p50", found.p50_ms, "ms", "≤ 150 ms")
        yield Figure("B11", "connect and subscribe 500 streams", subscribed, "ms", "≤ 300 ms")

    def b12(self) -> Iterator[Figure]:
        many = self.few(1_000_000)
        sizes = {"real": ("20,295", "≤ 50 ms"), "made up": (f"{many:,}", "≤ 200 ms")}
        for database, env in serving.databases():
            found = json.loads(serving.program(env, "bench.search", str(many)))
            for kind, (size, reach) in sizes.items():
                for what, value in found.get(kind, {"nothing": None}).items():
                    figure = f"search in {size} messages, {database}: {what}"
                    yield Figure("B12", figure, value, "ms", reach)

    def _textbook(self, size: int, messages: int, window: int) -> sockets.Fan:
        with serving.textbook() as server:
            crowd, say = sockets.textbook_room(server, size)
            found = sockets.fan(crowd, [server.pid], say, messages=messages, window=window)
            crowd.close()
            return found

    def _socketio(self, size: int, messages: int, window: int) -> sockets.Fan | None:
        folder = self._installed_peer()
        if folder is None:
            return None
        with serving.socketio(folder) as server:
            crowd, say = sockets.socketio_room(server, size)
            found = sockets.fan(crowd, [server.pid], say, messages=messages, window=window)
            crowd.close()
            return found

    def _installed_peer(self) -> Path | None:
        """Install Socket.IO where Node is there, outside the project; None without."""
        if self._peer is None and shutil.which("npm"):
            folder = Path(tempfile.mkdtemp(prefix="gapless-peer-"))
            shutil.copy(PROJECT / "bench" / "socketio" / "server.js", folder)
            command = ["npm", "install", "--silent", "--no-audit", "--no-fund", *PEER]
            done = subprocess.run(command, cwd=folder, capture_output=True, check=False)
            self._peer = folder if done.returncode == 0 else None
        return self._peer


def main() -> None:
    """Run what is asked for."""
    parser = argparse.ArgumentParser(prog="python -m bench")
    parser.add_argument("--only", help="as B1,B4")
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--limited", action="store_true", help="with all limits counted")
    parser.add_argument("--json", type=Path)
    parser.add_argument("--plot", type=Path)
    options = parser.parse_args()

    bench = Bench(quick=options.quick)
    wanted = (options.only or ",".join(f"B{n}" for n in range(1, 13))).upper().split(",")
    figures: list[Figure] = []
    for name in wanted:
        measure: Callable[[], Iterator[Figure]] = getattr(bench, name.lower())
        for figure in measure():
            figures.append(figure)
            shown = "not measured" if figure.value is None else f"{figure.value:,.2f} {figure.unit}"
            print(f"{figure.id:4} {figure.what}: {shown}", file=sys.stderr, flush=True)
    about = machine(json.dumps(json.loads(serving.ENV["LIMITS"])))
    print(table(figures, about))
    if options.json:
        options.json.write_text(to_json(figures, about))
    for picture in (bench.fan_out, bench.history):
        if options.plot and picture.curves:
            draw(picture, options.plot)


if __name__ == "__main__":
    main()
