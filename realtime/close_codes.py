"""Why a socket of ours closes, and what its client does then: contract §3.6, as data.

The range of a code says what to do, so that a client written today can act on a code that
is added tomorrow.
"""

from typing import Literal, NamedTuple

Reconnect = Literal["no", "backoff", "now", "reauthenticate"]


class Close(NamedTuple):
    """A close code, its word, and what the client does, after so many seconds at least."""

    code: int
    reason: str
    reconnect: Reconnect
    retry_after: int | None = None


BAD_REQUESTS = Close(4000, "bad_requests", "no")
FORBIDDEN = Close(4003, "forbidden", "no")
NO_SUCH_ROOM = Close(4004, "no_such_room", "no")
PROTOCOL_NOT_SUPPORTED = Close(4005, "protocol_not_supported", "no")
SESSION_REVOKED = Close(4009, "session_revoked", "no")
TOO_MANY_CONNECTIONS = Close(4010, "too_many_connections", "no")

INTERNAL = Close(4100, "internal", "backoff")
OVERLOADED = Close(4101, "overloaded", "backoff")
NOT_AUTHENTICATED_IN_TIME = Close(4102, "not_authenticated_in_time", "backoff")
RATE_LIMITED = Close(4108, "rate_limited", "backoff")
TOO_SLOW = Close(4110, "too_slow", "backoff")
NO_PONG = Close(4112, "no_pong", "backoff")

DRAINING = Close(4200, "draining", "now")
SOCKET_AGE = Close(4201, "socket_age", "now")

TOKEN_EXPIRED = Close(4300, "token_expired", "reauthenticate")
INVALID_TOKEN = Close(4301, "invalid_token", "reauthenticate")

MESSAGE_TOO_BIG = Close(1009, "message_too_big", "backoff")  # RFC 6455, section 7.4.1

ALL = tuple(value for value in list(globals().values()) if isinstance(value, Close))

LOST = Close(1006, "lost", "backoff")  # never sent: the socket was gone before us

_BY_ERROR = {
    "session_revoked": SESSION_REVOKED,
    "token_expired": TOKEN_EXPIRED,
    "invalid_token": INVALID_TOKEN,
    "not_found": NO_SUCH_ROOM,
    "permission_denied": FORBIDDEN,
    "rate_limited": RATE_LIMITED,
    "invalid_request": BAD_REQUESTS,
}


def for_error(code: str, retry_after: int | None = None) -> Close:
    """Return how a connection ends that was refused with this error code."""
    return _BY_ERROR.get(code, INTERNAL)._replace(retry_after=retry_after)
