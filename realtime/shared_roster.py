"""Who is seen on which process, in Redis: a table for each process, that it alone writes.

A table carries a version, and beside it lies a list of its latest changes, each under the
version that it made. So whoever knows a table asks for its version only, then for the changes
since; the whole table is read by whoever knows it not, or has missed too much.
"""

import logging
import time
import uuid
from collections.abc import Sequence
from typing import Any

import msgspec
from redis.exceptions import RedisError

from realtime.attendance import Status
from realtime.registry import client_of
from realtime.roster import ALIVE_SECONDS, Changes, Clock, Heard, applied

CHANGES_KEPT = 200  # of a table; a round makes one
RETRY_SECONDS = 2.0  # how long a Redis that failed is left alone
VERSION = ""  # a field of the table that is nobody's id

log = logging.getLogger(__name__)


class Change(msgspec.Struct, array_like=True):
    """What made a version of a table."""

    version: int
    people: dict[str, Status | None]


_decoder = msgspec.json.Decoder(Change)


class SharedRoster:
    """In Redis, for all processes; while it is away each tells what it knows."""

    def __init__(
        self,
        url: str,
        prefix: str,
        *,
        alive_seconds: float = ALIVE_SECONDS,
        clock: Clock = time.monotonic,
    ) -> None:
        self._client: Any = client_of(url)
        self._prefix, self._alive = f"{prefix}:presence:", round(alive_seconds * 1000)
        self._heard = Heard(clock)
        self._versions: dict[str, int] = {}  # of the tables that are known
        self._table: dict[str, Status] = {}
        self._pending: dict[str, Status | None] = {}
        self._broken_until = float("-inf")
        self._process, self._version = uuid.uuid4().hex, 0
        self._told = False  # the whole table, since Redis has it

    def tell(self, changes: Changes) -> None:
        self._table = applied(self._table, changes)
        self._pending |= changes

    def elsewhere(self, user: str) -> list[Status]:
        return self._heard.elsewhere(user)

    async def close(self) -> None:
        await self._client.aclose()

    async def exchange(self) -> set[str]:
        if self._heard.clock() < self._broken_until:
            return self._lapsed()
        pending, self._pending = self._pending, {}
        try:
            versions = await self._write(pending)
            return await self._read(versions)
        except (RedisError, OSError) as error:
            self._broken_until = self._heard.clock() + RETRY_SECONDS
            self._pending = pending | self._pending  # it may have been written: once more, then
            log.warning("Redis does not tell who is present: %s", type(error).__name__)
            return self._lapsed()

    # --- one's own table ------------------------------------------------------------------

    async def _write(self, pending: Changes) -> dict[str, int | None]:
        """Write what has changed, give a sign of life; return the versions of the others."""
        known = list(self._versions)
        async with self._client.pipeline(transaction=True) as pipeline:
            pipeline.hexists(self._key("of", self._process), VERSION)
            if not self._told:
                self._write_all(pipeline)
            elif pending:
                self._write_changes(pipeline, pending)
            pipeline.pexpire(self._key("of", self._process), self._alive)
            pipeline.pexpire(self._key("news", self._process), self._alive)
            pipeline.sadd(self._key("processes"), self._process)
            for process in known:
                pipeline.hget(self._key("of", process), VERSION)
            pipeline.smembers(self._key("processes"))
            found = await pipeline.execute()
        if self._told and not found[0]:  # Redis has forgotten it: what is there now is a part
            self._told = False
            return await self._write({})
        versions = dict.fromkeys(found[-1] - {self._process}, None) | dict(
            zip(known, (found[-1 - len(known) : -1]), strict=True)
        )
        self._told = True
        return {process: None if got is None else int(got) for process, got in versions.items()}

    def _write_all(self, pipeline: Any) -> None:
        self._version += 1
        key = self._key("of", self._process)
        pipeline.delete(key, self._key("news", self._process))
        pipeline.hset(key, mapping={VERSION: self._version, **self._table})

    def _write_changes(self, pipeline: Any, pending: Changes) -> None:
        self._version += 1
        key, news = self._key("of", self._process), self._key("news", self._process)
        seen = {user: status for user, status in pending.items() if status is not None}
        gone = pending.keys() - seen.keys()
        pipeline.hset(key, mapping={VERSION: self._version, **seen})
        if gone:
            pipeline.hdel(key, *gone)
        pipeline.lpush(news, msgspec.json.encode(Change(self._version, dict(pending))))
        pipeline.ltrim(news, 0, CHANGES_KEPT - 1)

    # --- those of the others --------------------------------------------------------------

    async def _read(self, versions: dict[str, int | None]) -> set[str]:
        moved: set[str] = set()
        for process, version in versions.items():
            if version is None and process in self._versions:
                moved |= await self._missed(process)
            elif version is not None and version == self._versions[process]:
                self._heard.alive(process)
            else:
                moved |= await self._read_one(process, version)
        return moved

    def _lapsed(self) -> set[str]:
        """Forget the tables that are too old; what is heard next of these is all of it."""
        moved = self._heard.lapsed()
        self._versions = {
            process: version
            for process, version in self._versions.items()
            if process in self._heard.tables
        }
        return moved

    async def _missed(self, process: str) -> set[str]:
        moved = self._heard.missed(process)
        if process not in self._heard.tables:
            del self._versions[process]
            await self._client.srem(self._key("processes"), process)
        return moved

    async def _read_one(self, process: str, version: int | None) -> set[str]:
        """Take the changes since the version that is known, or the whole table."""
        known = self._versions.get(process)
        table = self._heard.tables.get(process, {})
        if known is not None and version is not None:
            for change in await self._changes(process, known, version):
                if change.version == known + 1:
                    table, known = applied(table, change.people), change.version
        if known is None or version is None or known < version:
            found = await self._client.hgetall(self._key("of", process))
            if VERSION not in found:
                await self._client.srem(self._key("processes"), process)
                return set()
            known, table = int(found.pop(VERSION)), found
        self._versions[process] = known
        self._heard.alive(process)
        return self._heard.replace(process, table)

    async def _changes(self, process: str, known: int, version: int) -> Sequence[Change]:
        if version - known > CHANGES_KEPT:
            return ()
        found = await self._client.lrange(self._key("news", process), 0, version - known - 1)
        return [_decoder.decode(text) for text in reversed(found)]

    def _key(self, kind: str, process: str = "") -> str:
        return f"{self._prefix}{kind}:{process}"
