"""What one socket listens to: from the command to a subscription that is live."""

import uuid
from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from urllib.parse import parse_qs

import msgspec
from django.conf import settings

from api import access
from api.access import Grant
from api.codec import INTEGER_MAX, Seq
from api.errors import InvalidRequest
from realtime import pool, protocol
from realtime.connection import Connection
from realtime.hub import Hub
from realtime.protocol import CommandId
from realtime.replaying import Replay
from realtime.subscription import Start, Subscription, starts


class Subscriber:
    """The subscriptions of one connection."""

    __slots__ = ("_connection", "_hub", "_replay")

    def __init__(self, hub: Hub, connection: Connection) -> None:
        self._hub, self._connection = hub, connection
        self._replay = Replay(hub, connection)

    def open(self, inbox_head: int) -> None:
        """Listen to the person's own stream, from the head of the handshake on."""
        self._listen(self._connection.user_id, Start(inbox_head), inbox_head)
        self._replay.resume()

    async def subscribe(self, wanted: protocol.Subscribe, command_id: CommandId) -> dict[str, str]:
        """Answer ``subscribed``, then send what was missed, then what comes.

        Returns why each of the refused streams was refused, as error codes.
        """
        connection = self._connection
        asked, refused = _told_apart(wanted.streams)
        grants = await self._grants([uuid.UUID(stream) for stream in asked]) if asked else {}
        refused |= await self._refused(asked, grants)
        granted = {stream: grants[stream] for stream in asked if stream not in refused}
        begins = starts(
            {stream: (asked[stream], grant.head) for stream, grant in granted.items()},
            wanted.limit,
        )
        connection.write(
            protocol.wire(
                protocol.Subscribed(
                    id=protocol.echoed(command_id), streams=granted, refused=refused
                )
            )
        )
        self.unsubscribe(refused)  # also from what was subscribed before
        ephemeral = len(wanted.streams) == 1 if wanted.ephemeral is None else wanted.ephemeral
        for stream, start in begins.items():
            self._listen(stream, start, granted[stream].head, ephemeral=ephemeral)
        self._replay.resume()
        return refused

    async def subscribe_at_once(self, room_id: uuid.UUID, scope: Mapping[str, Any]) -> str | None:
        """Subscribe to the room of the socket's path; return the code of a refusal.

        Raises:
            InvalidRequest: ``since`` in the query is no number.
        """
        since = _since(scope)
        refused = await self.subscribe(protocol.Subscribe(streams={str(room_id): since}), None)
        return refused.get(str(room_id))

    def unsubscribe(self, streams: Iterable[str]) -> None:
        """Listen to these no more; one's own stream stays."""
        for stream in streams:
            if stream != self._connection.user_id:
                self._hub.detach(self._connection, stream)

    def stop(self) -> None:
        """The connection is gone."""
        self._replay.stop()

    async def _grants(self, streams: Sequence[uuid.UUID]) -> dict[str, Grant]:
        user_id = uuid.UUID(self._connection.user_id)
        session_id = uuid.UUID(self._connection.session_id)
        found = await pool.run(access.readable, user_id, session_id, streams)
        return {str(stream): grant for stream, grant in found.items()}

    async def _refused(
        self, asked: Mapping[str, int | None], grants: Mapping[str, Grant]
    ) -> dict[str, str]:
        refused: dict[str, str] = {}
        missing = [uuid.UUID(stream) for stream in asked if stream not in grants]
        if missing:
            codes = await pool.run(access.refusals, missing)
            refused = {str(stream): code for stream, code in codes.items()}
        room_left = self._room_left()
        for stream, since in asked.items():  # in this order the limit is used up
            if stream in refused:
                continue
            if since is not None and since > grants[stream].head:
                refused[stream] = "conflict"
            elif stream not in self._connection.subscriptions:
                room_left -= 1
                if room_left < 0:
                    refused[stream] = "limit_reached"
        return refused

    def _room_left(self) -> int:
        limit = settings.LIMITS.subscriptions
        if limit is None:
            return INTEGER_MAX
        own = self._connection.user_id in self._connection.subscriptions
        return int(limit) - (len(self._connection.subscriptions) - own)

    def _listen(self, stream: str, start: Start, head: int, *, ephemeral: bool = False) -> None:
        self._hub.detach(self._connection, stream)
        if start.gap is not None:
            first, last = start.gap
            gap = protocol.Gap(stream=stream, first=first, last=last)
            self._connection.write(protocol.wire(gap))
        subscription = Subscription(stream, start.position, granted=head, ephemeral=ephemeral)
        self._hub.attach(self._connection, subscription, head)


def _told_apart(
    streams: Mapping[str, int | None],
) -> tuple[dict[str, int | None], dict[str, str]]:
    """Return what is asked for, by ids as we spell them, and the refusals of what is no id."""
    asked: dict[str, int | None] = {}
    refused: dict[str, str] = {}
    for name, since in streams.items():
        try:
            asked[str(msgspec.convert(name, uuid.UUID))] = since
        except msgspec.ValidationError:
            refused[name] = "not_found"
    return asked, refused


def _since(scope: Mapping[str, Any]) -> int | None:
    query = parse_qs(scope["query_string"].decode("latin-1"), keep_blank_values=True)
    given = query.get("since", [])
    if not given:
        return None
    try:
        return msgspec.convert(given[-1], Seq, strict=False)
    except msgspec.ValidationError:
        raise InvalidRequest("since is no number.") from None
