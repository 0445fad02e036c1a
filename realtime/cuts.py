"""Where deliveries and fetches are cut: at what ends something, at what a query takes. Pure."""

from collections.abc import Sequence

from realtime.feed import Deliver, Fetch

FETCH_EVENTS_MAX = 1_000  # events in one query


def until_ends(news: Deliver) -> list[Deliver]:
    """Cut a delivery behind every event that ends something."""
    runs, start, frames = [], news.after, []
    for frame in news.frames:
        frames.append(frame)
        if frame.ends:
            runs.append(Deliver(start, frame.seq, frames))
            start, frames = frame.seq, []
    if start < news.to:
        runs.append(Deliver(start, news.to, frames))
    return runs


def chunked(fetches: Sequence[tuple[str, Fetch]]) -> list[list[tuple[str, Fetch]]]:
    """Cut fetches so that one query answers a bounded number of events."""
    parts: list[list[tuple[str, Fetch]]] = []
    size = FETCH_EVENTS_MAX
    for stream, fetch in fetches:
        count = fetch.to - fetch.after
        if size + count > FETCH_EVENTS_MAX or len(parts[-1]) == 100:
            parts.append([])
            size = 0
        parts[-1].append((stream, fetch))
        size += count
    return parts
