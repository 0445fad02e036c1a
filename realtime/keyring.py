"""Sockets end with the key that signed the token they live by: somebody else may have it.

A token is looked at once, when it comes. So each process reads the ring again and again, also
while nobody asks it anything, and closes what was let in with a key that is not in it any more.
"""

import asyncio
import logging
from collections.abc import Collection

from accounts import keys
from api import metrics
from realtime import pool
from realtime.close_codes import INVALID_TOKEN
from realtime.connection import Connection

ROUND_SECONDS = 1.0  # beside the READ_AGAIN_SECONDS that a process goes by what it has read

log = logging.getLogger(__name__)


async def watch(connections: Collection[Connection]) -> None:
    """Close, round by round, those of a changing collection that no key of the ring let in."""
    while True:
        try:
            ring = await pool.run_for_all(keys.current)
        except Exception as error:  # noqa: BLE001  the database is away, or no key can be opened
            metrics.database_errors.inc()
            log.warning("the ring of keys cannot be read: %s", type(error).__name__)
        else:
            for connection in list(connections):
                if connection.kid and connection.kid not in ring.kids:
                    connection.close(INVALID_TOKEN)
        await asyncio.sleep(ROUND_SECONDS)
