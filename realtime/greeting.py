"""The first frame of an open socket: whose it is, for how long, and what may be asked of it."""

import uuid

from django.conf import settings

from api.clock import now
from api.codec import instant
from api.discovery import FEATURES
from api.log.epoch import current_epoch
from realtime import pool, protocol
from realtime.auth import Identity
from realtime.clocks import seconds_until
from realtime.protocol import CommandId, Hello

_epoch: uuid.UUID | None = None


async def epoch() -> uuid.UUID:
    """Return which life of the database this is, asked once per process."""
    global _epoch  # noqa: PLW0603  whoever restores a database restarts the servers
    if _epoch is None:
        _epoch = await pool.run_for_all(current_epoch)
    return _epoch


async def hello(identity: Identity, connection_id: uuid.UUID, command_id: CommandId) -> Hello:
    """Return the frame; in answer to ``auth`` under its id."""
    life = await epoch()
    limits = settings.LIMITS
    return Hello(
        id=protocol.echoed(command_id),
        protocol=protocol.PROTOCOL,
        connection_id=connection_id,
        user=identity.user,
        session_id=identity.session.id,
        expires_in=int(seconds_until(identity.expires_at)),
        time=instant(now()),
        epoch=life,
        heartbeat_seconds=limits.heartbeat_seconds,
        features=FEATURES,
        limits=limits,
        inbox=protocol.Inbox(stream=identity.user.id, head=identity.inbox_head),
    )
