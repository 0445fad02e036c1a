"""What is counted while a process serves; ``config/exposition.py`` shows it to operators.

What happens for every frame is a plain integer of the loop's thread; all else may be counted
from any thread.
"""

from prometheus_client import CollectorRegistry, Counter, Histogram

REGISTRY = CollectorRegistry(auto_describe=True)
SECONDS = (0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)


def _counter(name: str, meaning: str, *labels: str) -> Counter:
    return Counter(f"gapless_{name}", meaning, labels, registry=REGISTRY)


requests = _counter("http_requests", "Requests answered.", "route", "method", "status")
request_seconds = Histogram(
    "gapless_http_request_seconds",
    "From the head of a request to the last byte of its answer.",
    ["route", "method"],
    buckets=SECONDS,
    registry=REGISTRY,
)
requests_turned_away = _counter("http_saturated", "503: too many requests waited for a thread.")
database_errors = _counter("database_errors", "Work given up as the database did not answer.")

messages_sent = _counter("messages_sent", "Messages recorded, over REST and sockets.")
commands = _counter("socket_commands", "Commands of sockets, without pings.")
commands_refused = _counter("socket_commands_refused", "Commands answered with an error.")
sockets_closed = _counter("socket_closes", "Sockets that we closed, by close code.", "code")
sockets_behind = _counter("socket_falls_behind", "Streams of sockets that read too slowly.")
replays = _counter("replay_pages", "Pages read from the log for sockets that were behind.")
repairs = _counter("repairs", "Holes in a stream, fetched from the log.")
publish_failures = _counter("publish_failures", "Frames that the channel layer did not take.")


class Frames:
    """Frames given to sockets, by the loop's thread alone."""

    __slots__ = ("written",)

    def __init__(self) -> None:
        self.written = 0


frames = Frames()  # an object: an attribute of a class costs ten times as much to change
