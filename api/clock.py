"""The present, as this service records it: UTC, in whole milliseconds."""

from datetime import UTC, datetime


def now() -> datetime:
    """Return the time, cut to the millisecond that is also what clients are shown."""
    moment = datetime.now(UTC)
    return moment.replace(microsecond=moment.microsecond // 1000 * 1000)
