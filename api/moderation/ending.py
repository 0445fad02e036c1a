"""When what is imposed on somebody ends."""

from datetime import datetime

from api.codec import moment_of
from api.errors import InvalidRequest
from api.rooms.models import FOREVER


def ending(until: datetime | None, moment: datetime) -> datetime | None:
    """Return a time to come in UTC and whole milliseconds; None is never.

    Raises:
        InvalidRequest: it has come already, or is too far to be meant; at ``/until``.
    """
    if until is None:
        return None
    exact = moment_of(until, "/until")
    if not moment < exact < FOREVER:
        raise InvalidRequest.at("/until", "A time to come, before the year 9999.")
    return exact
