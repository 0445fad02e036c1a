"""How many sockets a user has: this process's part in the registry, and the closing of surplus.

Nobody waits for it: what opened and what ended is entered by the next round. While Redis is
away each process counts for itself, and enters what it has when Redis is back.
"""

import asyncio
import logging
import math
import uuid
from collections import deque
from collections.abc import Iterable, Sequence

from django.conf import settings
from redis.exceptions import RedisError, ResponseError

from realtime.close_codes import TOO_MANY_CONNECTIONS
from realtime.connection import Connection
from realtime.registry import LEASE_SECONDS, Entry, LocalRegistry, RedisRegistry, Registry

ROUND_SECONDS = 0.4  # a surplus socket is closed within two: another process's needs its round
RENEW_SECONDS = LEASE_SECONDS / 3
RETRY_SECONDS = 2.0  # how long a Redis that failed is left alone
DEPARTED_MAX = 10_000  # others end with their leases
RENEWED_AT_ONCE = 100  # entries; the loop has other work in between

log = logging.getLogger(__name__)


class Sockets:
    """The sockets of one process, by user; a limit of None keeps nothing."""

    def __init__(self) -> None:
        url, prefix = settings.ENV.redis_url, settings.ENV.redis_prefix
        self._limit = settings.LIMITS.sockets
        self._process = uuid.uuid4().hex
        self._own = LocalRegistry(lease_seconds=math.inf)  # its process tells when one ends
        self._shared = RedisRegistry(url, prefix) if url else None
        self._here: dict[str, Connection] = {}
        self._opened: dict[str, Connection] = {}  # not entered yet
        self._unshared: dict[str, Connection] = {}  # not entered in Redis yet
        self._ended: list[Entry] = []
        self._departed: deque[Entry] = deque(maxlen=DEPARTED_MAX)  # still entered in Redis
        self._loop = asyncio.get_running_loop()
        self._broken_until = 0.0
        self._renewed_at = self._loop.time()

    def opened(self, connection: Connection) -> None:
        """Count a socket whose user is known now."""
        if self._limit is not None:
            self._opened[str(connection.id)] = connection

    def ended(self, connection: Connection) -> None:
        """Count a socket no more. Harmless when repeated, or when it was not counted."""
        name = str(connection.id)
        self._opened.pop(name, None)
        self._unshared.pop(name, None)
        if self._here.pop(name, None) is not None:
            self._ended.append(self._entry(connection))

    async def run(self) -> None:
        """Enter, renew and close, round by round."""
        if self._limit is None:
            return
        try:
            while True:
                await asyncio.sleep(ROUND_SECONDS)
                await self._try_round(self._limit)
        finally:
            if self._shared is not None:
                await self._shared.close()

    async def _try_round(self, limit: int) -> None:
        try:
            await self._round(limit)
        except Exception:  # whatever has broken: the next round counts the others
            log.exception("sockets were not counted")

    async def _round(self, limit: int) -> None:
        ended, self._ended = self._ended, []
        if self._shared is not None:
            self._departed += ended
        await self._own.leave(ended)
        while self._opened:  # taken out one by one: one that fails takes no other along
            name = next(iter(self._opened))
            connection = self._here[name] = self._opened.pop(name)
            if self._shared is not None:
                self._unshared[name] = connection
            await self._enter(self._own, connection, limit)
        if self._shared is not None:
            await self._share(self._shared, limit)

    async def _share(self, shared: RedisRegistry, limit: int) -> None:
        if self._loop.time() < self._broken_until:
            return
        try:
            for name in await shared.summoned(self._process):
                self._close_here(name)
            if self._departed:
                await shared.leave(self._departed)
                self._departed.clear()
            for name, connection in list(self._unshared.items()):
                self._unshared.pop(name, None)
                await self._enter_shared(shared, connection, limit)
            if self._loop.time() >= self._renewed_at + RENEW_SECONDS:
                await self._renew(shared)
                self._renewed_at = self._loop.time()
        except (RedisError, OSError) as error:
            self._broken_until = self._loop.time() + RETRY_SECONDS
            log.warning("Redis does not count sockets: %s", type(error).__name__)

    async def _enter_shared(
        self, shared: RedisRegistry, connection: Connection, limit: int
    ) -> None:
        try:
            gone = await self._enter(shared, connection, limit)
        except ResponseError as error:  # it is there and refuses this one; the next may be taken
            log.warning("Redis does not take a socket: %s", error)
            return
        except (RedisError, OSError):
            self._unshared[str(connection.id)] = connection
            raise
        await shared.summon([found for found in gone if found.process != self._process])

    async def _enter(
        self, registry: Registry, connection: Connection, limit: int
    ) -> Sequence[Entry]:
        """Enter a socket, and say who of its user's others here owes a pong by now."""
        if connection.closing is not None:
            return ()
        entry = self._entry(connection)
        if await registry.count(entry.user) >= limit:
            others = [self._here[name] for name in self._own.of(entry.user) if name in self._here]
            await registry.renew(
                self._entries(found for found in others if found is not connection)
            )
        gone = await registry.enter(entry, limit)
        for found in gone:
            if found.process == self._process:
                self._close_here(found.connection)
        return gone

    async def _renew(self, shared: RedisRegistry) -> None:
        """Prolong what is here; what Redis has lost is entered by the next round."""
        here = list(self._here.values())
        for start in range(0, len(here), RENEWED_AT_ONCE):
            part = here[start : start + RENEWED_AT_ONCE]
            for entry in await shared.renew(self._entries(part)):
                if entry.connection in self._here:
                    self._unshared[entry.connection] = self._here[entry.connection]

    def _close_here(self, name: str) -> None:
        connection = self._here.get(name)
        if connection is not None:
            connection.close(TOO_MANY_CONNECTIONS)

    def _entries(self, connections: Iterable[Connection]) -> list[Entry]:
        return [self._entry(found) for found in connections if found.closing is None]

    def _entry(self, connection: Connection) -> Entry:
        return Entry(
            user=connection.user_id,
            connection=str(connection.id),
            session=connection.session_id,
            process=self._process,
            owes=connection.owes_pong,
        )
