"""The frames of contract §3.2, both ways, and the commands that are the socket's own. Pure."""

import uuid
from collections.abc import Iterator, Sequence
from typing import Annotated, Any, Literal, NamedTuple

import msgspec

from accounts.schemas import Profile
from api.access import Grant
from api.codec import SURROGATE, Body, Instant, Payload, Seq, encode, parse
from api.errors import ChatError, Fault, InvalidRequest
from api.limits import Limits
from api.log.frames import Frame
from realtime.close_codes import Close, Reconnect
from realtime.moments import SayActive, SayTyping
from realtime.wire import Wire

PROTOCOL = "gapless.v1"
BEARER_PREFIX = "bearer."
BATCH_EVENTS_MAX = 100
BATCH_BYTES_MAX = 64 * 1024
EVENTS_BYTES_MAX = BATCH_BYTES_MAX - 256  # what a batch has around its events is shorter
ID_LENGTH_MAX = 64

CommandId = str | int | None


class Auth(Body):
    """The first frame, where no token came with the handshake; later, to renew."""

    token: Annotated[str, msgspec.Meta(min_length=1)]


class Subscribe(Body):
    """Streams with the number from which on each is wanted; null is from now on."""

    streams: Annotated[dict[str, Seq | None], msgspec.Meta(max_length=10_000)]
    limit: Annotated[int, msgspec.Meta(ge=0, le=1_000)] = 1_000
    ephemeral: bool | None = None


class Unsubscribe(Body):
    """Streams that are not wanted any more."""

    streams: Annotated[list[uuid.UUID], msgspec.Meta(min_length=1, max_length=10_000)]


class Ping(Body):
    """Is anybody there?"""


OWN_COMMANDS: dict[str, type[Body]] = {
    "auth": Auth,
    "subscribe": Subscribe,
    "unsubscribe": Unsubscribe,
    "ping": Ping,
    "typing": SayTyping,
    "active": SayActive,
}


class Command(NamedTuple):
    """A client's frame, taken apart but not yet checked against its command's struct."""

    id: CommandId
    type: str
    fields: dict[str, Any]


class BadFrame(Exception):
    """A frame that is no command; ``id`` is what could be read of it."""

    def __init__(self, error: ChatError, command_id: CommandId = None) -> None:
        self.error, self.id = error, command_id
        super().__init__(error.detail)


def parse_command(text: str) -> Command:
    """Take a client's frame apart; ``id`` and ``type`` are read before all else.

    Raises:
        BadFrame: it is no JSON object with a ``type``, or of the kind that is refused.
    """
    try:
        value, fault = parse(text)
    except ChatError as error:
        raise BadFrame(error) from None
    if not isinstance(value, dict):
        raise BadFrame(_invalid(fault or Fault("", "A frame is a JSON object.")))
    command_id = value.pop("id", None)
    if not _is_id(command_id):
        raise BadFrame(_invalid(Fault("/id", "A string of at most 64 characters, or an integer.")))
    kind = value.pop("type", None)
    if fault:
        raise BadFrame(_invalid(fault), command_id)
    if not isinstance(kind, str):
        raise BadFrame(_invalid(Fault("/type", "A frame has a type.")), command_id)
    return Command(command_id, kind, value)


def _is_id(value: Any) -> bool:
    if isinstance(value, str):
        return len(value) <= ID_LENGTH_MAX and not SURROGATE.search(value)
    return value is None or (isinstance(value, int) and not isinstance(value, bool))


def _invalid(fault: Fault) -> InvalidRequest:
    return InvalidRequest(fault.detail, errors=[fault])


class Inbox(Payload):
    """The person's own stream and its head; subscribed from ``hello`` on."""

    stream: uuid.UUID
    head: int


class Reply(Payload, kw_only=True):
    """What answers a command, under its id."""

    id: CommandId | msgspec.UnsetType = msgspec.UNSET


class Hello(Reply, tag_field="type", tag="hello"):
    """The socket is open."""

    protocol: str
    connection_id: uuid.UUID
    user: Profile
    session_id: uuid.UUID
    expires_in: int
    time: Instant
    epoch: uuid.UUID
    heartbeat_seconds: float | None
    features: list[str]
    limits: Limits
    inbox: Inbox


class Error(Reply, tag_field="type", tag="error"):
    """A command was refused; the socket stays open."""

    code: str
    detail: str
    retryable: bool
    request_id: str
    retry_after: int | msgspec.UnsetType = msgspec.UNSET
    errors: list[dict[str, str]] | msgspec.UnsetType = msgspec.UNSET


class Pong(Reply, tag_field="type", tag="pong"):
    """Somebody is."""


class Subscribed(Reply, tag_field="type", tag="subscribed"):
    """What has been subscribed, at which heads, and what has not, and why."""

    streams: dict[str, Grant]
    refused: dict[str, str]


class Unsubscribed(Payload, tag_field="type", tag="unsubscribed"):
    """Nothing more comes of this stream."""

    stream: str
    reason: Literal["left", "removed", "banned", "deleted", "internal"]


class Gap(Payload, tag_field="type", tag="gap", rename={"first": "from", "last": "to"}):
    """These numbers are not sent; live goes on behind them."""

    stream: str
    first: int
    last: int


class AuthExpiring(Payload, tag_field="type", tag="auth.expiring"):
    """Renew with ``auth``, or the socket closes in so many seconds."""

    expires_in: int


class Renewed(Payload):
    """The answer to ``auth`` on an open socket: how long it lives now, in seconds."""

    expires_in: int


class Nothing(Payload):
    """The answer of a command that has no result."""


class Bye(Payload, tag_field="type", tag="bye"):
    """The last frame before a close of ours."""

    code: int
    reason: str
    reconnect: Reconnect
    retry_after: int | msgspec.UnsetType = msgspec.UNSET


def wire(frame: Payload) -> Wire:
    """Encode a frame."""
    return Wire(encode(frame))


def ok(command_id: CommandId, result: Payload) -> Wire:
    """Encode a reply: the results stand beside the id."""
    head = b'{"type":"ok"' if command_id is None else b'{"type":"ok","id":' + encode(command_id)
    body = encode(result)
    return Wire(head + (b"}" if body == b"{}" else b"," + body[1:]))


def error(failure: ChatError, command_id: CommandId, request_id: str) -> Wire:
    """Encode a refusal."""
    faults = [{"pointer": fault.pointer, "detail": fault.detail} for fault in failure.errors]
    return wire(
        Error(
            id=echoed(command_id),
            code=failure.code,
            detail=failure.detail,
            retryable=failure.retryable,
            request_id=request_id,
            retry_after=failure.retry_after or msgspec.UNSET,
            errors=faults or msgspec.UNSET,
        )
    )


def bye(close: Close) -> Wire:
    """Encode the last frame before a close."""
    return wire(
        Bye(
            code=close.code,
            reason=close.reason,
            reconnect=close.reconnect,
            retry_after=close.retry_after or msgspec.UNSET,
        )
    )


def echoed(command_id: CommandId) -> CommandId | msgspec.UnsetType:
    """Return a command's id for its reply; absent where none was given."""
    return msgspec.UNSET if command_id is None else command_id


def events(stream: str, after: int, to: int, frames: Sequence[Frame]) -> list[Wire]:
    """Encode live news: each event by itself, or batches where numbers were left out."""
    if len(frames) == to - after and all(frame.text is not None for frame in frames):
        return [
            Wire(frame.text.encode(), frame.text, to=frame.seq)
            for frame in frames
            if frame.text is not None
        ]
    return list(batches(stream, after, to, frames))


def batches(stream: str, after: int, to: int, frames: Sequence[Frame]) -> Iterator[Wire]:
    """Encode what was missed, in frames of a bounded size; the last one reaches ``to``."""
    texts: list[str] = []
    size = 0
    first, last = after + 1, after
    for frame in frames:
        added = 0 if frame.text is None else len(frame.text.encode()) + 1  # and a comma
        if texts and (len(texts) == BATCH_EVENTS_MAX or size + added > EVENTS_BYTES_MAX):
            yield _batch(stream, first, last, texts)
            texts, size, first = [], 0, last + 1
        if frame.text is not None:
            texts.append(frame.text)
            size += added
        last = frame.seq
    yield _batch(stream, first, to, texts)


def _batch(stream: str, first: int, last: int, texts: list[str]) -> Wire:
    head = f'{{"type":"batch","stream":"{stream}","from":{first},"to":{last},"events":['
    return Wire((head + ",".join(texts) + "]}").encode(), to=last)
