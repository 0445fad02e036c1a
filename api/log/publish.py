"""News of the log, encoded once and handed on; nobody waits for it, nothing depends on it.

In a server the hub binds an outlet. Elsewhere (commands, jobs) the frames go straight to
the channel layer. Either way the log is the truth: what is lost here is repaired there.
"""

import asyncio
import logging
import zlib
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from asgiref.sync import async_to_sync
from channels.layers import get_channel_layer
from django.conf import settings

from api import metrics
from api.log.frames import Frame

FRAME = "log.frame"  # the kind of a message on the layer that is in the log
SEVERAL = "several"  # the kind of one that holds others, of one group
AT_ONCE_MAX = 100  # messages that are sorted into one for each group
DEADLINE_SECONDS = 0.25  # a layer that is slower than this counts as lost for the moment

log = logging.getLogger(__name__)


Message = dict[str, Any]  # has a ``type`` and the ``stream`` that it is about
Outlet = Callable[[Sequence[Frame]], None]
_outlet: Outlet | None = None


def bind(outlet: Outlet | None) -> None:
    """Let this process's hub take the frames; None gives the outlet back."""
    global _outlet  # noqa: PLW0603  one process, one hub
    _outlet = outlet


def publish(frames: Sequence[Frame]) -> None:
    """Hand the frames on. Never raises, never waits for longer than the deadline."""
    if _outlet is not None:
        _outlet(frames)
        return
    try:
        async_to_sync(_send_all)(frames)
    except Exception as error:  # noqa: BLE001  whatever a layer raises: the log has the frames
        metrics.publish_failures.inc(len(frames))
        log.warning("not published, the log has it: %s", type(error).__name__)


async def _send_all(frames: Sequence[Frame]) -> None:
    async with asyncio.timeout(DEADLINE_SECONDS):
        for group, messages in taken_from(deque(map(message_of, frames))):
            await send(get_channel_layer(), group, messages)


def message_of(frame: Frame) -> Message:
    """Return a frame as it stands on the layer."""
    return {
        "type": FRAME,
        "stream": frame.stream,
        "seq": frame.seq,
        "ends": frame.ends,
        "text": frame.text,
    }


def taken_from(waiting: deque[Message]) -> Iterator[tuple[str, list[Message]]]:
    """Take what waits, also what comes meanwhile; sorted by groups, each in its order."""
    while waiting:
        found: dict[str, list[Message]] = {}
        for _ in range(min(len(waiting), AT_ONCE_MAX)):
            message = waiting.popleft()
            found.setdefault(group_of(message["stream"]), []).append(message)
        yield from found.items()


async def send(layer: Any, group: str, messages: list[Message]) -> None:
    """Send messages to their group, in one."""
    one = messages[0] if len(messages) == 1 else {"type": SEVERAL, "messages": messages}
    await layer.group_send(group, one)


def messages_in(message: Message) -> list[Message]:
    """Return what came in one, as it was sent."""
    return message["messages"] if message["type"] == SEVERAL else [message]


def group_of(stream: str) -> str:
    """Return the channel layer's group for a stream: one of a fixed number."""
    return f"log.{zlib.crc32(stream.encode()) % settings.LOG_GROUPS}"
