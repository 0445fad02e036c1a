"""What one user, and one session, may ask of all processes together."""

import math
import uuid
from typing import Literal

from django.conf import settings

from api.errors import RateLimited
from api.limiter import limiter
from api.limits import Verdict

Asked = Literal["requests", "refreshes", "logouts", "exports"]


def take(what: Asked, whose: uuid.UUID) -> Verdict | None:
    """Count one more; None where nothing is counted. Blocks: from threads.

    Requests, and handshakes, are a user's; refreshes and logouts by a refresh token are a
    session's, because nothing else is known of who asks. Exports are a user's.
    """
    rate = settings.LIMITS.exports if what == "exports" else settings.LIMITS.requests
    return None if rate is None else limiter().take(f"{what}:{whose}", rate)


def check(verdict: Verdict | None) -> None:
    """Let pass what may.

    Raises:
        RateLimited: there have been too many.
    """
    if verdict is not None and verdict.wait > 0.0:
        raise RateLimited(retry_after=math.ceil(verdict.wait))
