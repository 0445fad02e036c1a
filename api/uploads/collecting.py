"""Clearing away: uploads that nothing has used, and those that were let go of."""

import logging
from datetime import datetime, timedelta

from api.log.append import writing
from api.uploads import storage
from api.uploads.models import Upload

UNUSED_KEPT = timedelta(hours=24)
COLLECTED_AT_ONCE = 500

log = logging.getLogger(__name__)


def collect_unused(moment: datetime) -> None:
    """Remove what nothing has used within a day, and what has been released.

    May run at any time, in several processes at once, and again when it was cut off.
    """
    forgotten = Upload.objects.filter(
        used_by_id=None, released_at=None, created_at__lt=moment - UNUSED_KEPT
    )
    with writing():  # from here on nothing can use them
        forgotten.update(released_at=moment)
    released = Upload.objects.filter(released_at__isnull=False).order_by("pk")
    found = list(released[:COLLECTED_AT_ONCE])
    while found:
        removed = [upload.pk for upload in found if _is_removed(upload)]
        with writing():
            Upload.objects.filter(pk__in=removed).delete()
        found = list(released.filter(pk__gt=found[-1].pk)[:COLLECTED_AT_ONCE])


def _is_removed(upload: Upload) -> bool:
    try:
        storage.remove(upload)
    except Exception as error:  # noqa: BLE001  whatever a storage raises: the next round tries again
        log.warning("upload %s is not removed: %s", upload.pk, type(error).__name__)
        return False
    return True
