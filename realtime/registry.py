"""Who has which sockets open: an entry for each, for as long as its lease is renewed.

Two forms of one thing, under one suite: of this process, and of all processes, in Redis. What
is entered, and which entries are too many by then, is one step that no other comes between.
"""

import time
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple, Protocol

import redis.asyncio as redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff

LEASE_SECONDS = 45.0  # three missed renewals: the process is gone
DEADLINE_SECONDS = 1.0  # for Redis to answer; nobody waits for it
SUMMONED_MAX = 1_000  # asked for at once


class Entry(NamedTuple):
    """An open socket; ids of connections sort by when they were opened.

    ``owes``: it was sent a ping and has not answered yet.
    """

    user: str
    connection: str
    session: str
    process: str
    owes: bool = False


class Registry(Protocol):
    """Keeps entries, each until it leaves or its lease ends."""

    async def count(self, user: str) -> int:
        """Return how many entries of a user there are, and may have been lately."""

    async def enter(self, entry: Entry, limit: int) -> list[Entry]:
        """Add an entry; return those that are too many now, by contract §3.6: they are gone."""

    async def renew(self, entries: Sequence[Entry]) -> list[Entry]:
        """Prolong the leases; return those entries that are there no more."""

    async def leave(self, entries: Iterable[Entry]) -> None:
        """Remove entries, if they are there."""


def surplus(entries: Sequence[Entry], newest: Entry, limit: int) -> list[Entry]:
    """Return which sockets of a user are to close; ``entries`` are the others.

    First one that owes a pong, then the oldest of the same session, then the oldest.
    """
    order = sorted(entries, key=lambda e: (not e.owes, e.session != newest.session, e.connection))
    return order[: max(len(entries) + 1 - limit, 0)]


class LocalRegistry:
    """In this process."""

    def __init__(self, lease_seconds: float = LEASE_SECONDS) -> None:
        self._lease = lease_seconds
        self._users: dict[str, dict[str, tuple[float, Entry]]] = {}

    async def count(self, user: str) -> int:
        return len(self._users.get(user, ()))

    async def enter(self, entry: Entry, limit: int) -> list[Entry]:
        now = time.monotonic()
        entries = self._users.setdefault(entry.user, {})
        entries[entry.connection] = (now + self._lease, entry)
        if len(entries) <= limit:
            return []
        living = [found for until, found in entries.values() if until > now]
        others = [found for found in living if found.connection != entry.connection]
        gone = surplus(others, entry, limit)
        kept = {found.connection for found in others} - {found.connection for found in gone}
        for connection in entries.keys() - kept - {entry.connection}:
            del entries[connection]
        return gone

    def of(self, user: str) -> list[str]:
        """Return which connections of a user there are."""
        return list(self._users.get(user, ()))

    async def renew(self, entries: Sequence[Entry]) -> list[Entry]:
        now, missing = time.monotonic(), []
        for entry in entries:
            kept = self._users.get(entry.user, {})
            until, _ = kept.get(entry.connection, (0.0, entry))
            if until <= now:
                missing.append(entry)
            else:
                kept[entry.connection] = (now + self._lease, entry)
        return missing

    async def leave(self, entries: Iterable[Entry]) -> None:
        for entry in entries:
            kept = self._users.get(entry.user, {})
            kept.pop(entry.connection, None)
            if not kept:
                self._users.pop(entry.user, None)


# A hash for each user: connection → "lease|session|process|owes"; the lease in milliseconds.
_NOW = """
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local connection, session, process, owes = ARGV[1], ARGV[2], ARGV[3], ARGV[4]
local function keep()
  local lease = string.format('%.0f', now + ARGV[5])
  redis.call('HSET', KEYS[1], connection, table.concat({lease, session, process, owes}, '|'))
  redis.call('PEXPIRE', KEYS[1], ARGV[5])
end
"""
_ENTER = (
    _NOW
    + """
keep()
if redis.call('HLEN', KEYS[1]) <= tonumber(ARGV[6]) then return {} end
local all, others = redis.call('HGETALL', KEYS[1]), {}
for i = 1, #all, 2 do
  local lease, session, process, owes = string.match(all[i + 1], '^(%d+)|(.-)|(.-)|(%d)$')
  if tonumber(lease) <= now then
    redis.call('HDEL', KEYS[1], all[i])
  elseif all[i] ~= connection then
    table.insert(others, {all[i], session, process, owes})
  end
end
table.sort(others, function(a, b)
  if a[4] ~= b[4] then return a[4] > b[4] end
  local a_same, b_same = a[2] == session, b[2] == session
  if a_same ~= b_same then return a_same end
  return a[1] < b[1]
end)
local gone = {}
for i = 1, #others + 1 - ARGV[6] do
  redis.call('HDEL', KEYS[1], others[i][1])
  gone[i] = others[i]
end
return gone
"""
)
_RENEW = (
    _NOW
    + """
local kept = redis.call('HGET', KEYS[1], connection)
if not kept or tonumber(string.match(kept, '^%d+')) <= now then return 0 end
keep()
return 1
"""
)


def client_of(url: str) -> Any:
    """Return a client that gives up soon, and tries nothing twice."""
    return redis.Redis.from_url(
        url,
        socket_timeout=DEADLINE_SECONDS,
        socket_connect_timeout=DEADLINE_SECONDS,
        retry=Retry(NoBackoff(), 0),
        protocol=2,
        decode_responses=True,
    )


class RedisRegistry:
    """In Redis, for all processes; also tells each of them which of its sockets to close.

    Raises ``redis.RedisError`` when it does not answer in time. An entry that Redis refuses
    is an error of ``enter``; otherwise it is passed over, and the others are not.
    """

    def __init__(self, url: str, prefix: str, lease_seconds: float = LEASE_SECONDS) -> None:
        client = client_of(url)
        self._client, self._prefix = client, f"{prefix}:sockets:"
        self._lease = round(lease_seconds * 1000)
        self._enter, self._renew = client.register_script(_ENTER), client.register_script(_RENEW)

    async def count(self, user: str) -> int:
        return int(await self._client.hlen(self._of(user)))

    async def enter(self, entry: Entry, limit: int) -> list[Entry]:
        found = await self._enter([self._of(entry.user)], [*self._values(entry), limit])
        return [
            Entry(entry.user, connection, session, process, owes == "1")
            for connection, session, process, owes in found
        ]

    async def renew(self, entries: Sequence[Entry]) -> list[Entry]:
        async with self._client.pipeline(transaction=False) as pipeline:
            for entry in entries:
                await self._renew([self._of(entry.user)], self._values(entry), client=pipeline)
            kept = await pipeline.execute(raise_on_error=False)
        return [entry for entry, there in zip(entries, kept, strict=True) if there == 0]

    async def leave(self, entries: Iterable[Entry]) -> None:
        async with self._client.pipeline(transaction=False) as pipeline:
            for entry in entries:
                pipeline.hdel(self._of(entry.user), entry.connection)
            await pipeline.execute(raise_on_error=False)

    async def summon(self, entries: Sequence[Entry]) -> None:
        """Ask the processes that have these sockets to close them."""
        async with self._client.pipeline(transaction=False) as pipeline:
            for entry in entries:
                key = f"{self._prefix}close:{entry.process}"
                pipeline.sadd(key, entry.connection)
                pipeline.pexpire(key, self._lease)
            await pipeline.execute(raise_on_error=False)

    async def summoned(self, process: str) -> list[str]:
        """Return the sockets that this process has been asked to close since the last time."""
        try:
            found = await self._client.spop(f"{self._prefix}close:{process}", SUMMONED_MAX)
        except redis.ResponseError:  # what is there is none of ours, today as tomorrow
            return []
        return list(found)

    async def close(self) -> None:
        """Let go of the connections."""
        await self._client.aclose()

    def _of(self, user: str) -> str:
        return f"{self._prefix}of:{user}"

    def _values(self, entry: Entry) -> list[str | int]:
        return [entry.connection, entry.session, entry.process, int(entry.owes), self._lease]
