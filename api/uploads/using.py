"""Who uses an upload: one thing at most, and nothing else after that.

All of this happens within the transaction of what uses it, after the streams are locked.
"""

import uuid
from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any

from django.db.models import Q

from api.codec import plain
from api.errors import InvalidRequest
from api.uploads.models import Upload
from api.uploads.schemas import UsedBy, attachment

Avatar = dict[str, Any] | None


def take(
    *, owner_id: uuid.UUID, ids: Sequence[uuid.UUID], left: dict[uuid.UUID, Upload], pointer: str
) -> list[Upload]:
    """Take one's own uploads out of what is ``left`` of ``unused``; in their order.

    Raises:
        InvalidRequest: one of them is not there any more, or somebody else's.
    """
    for place, upload_id in enumerate(ids):
        upload = left.get(upload_id)
        if upload is None or upload.owner_id != owner_id or upload_id in ids[:place]:
            raise refusal(pointer, place)
    return [left.pop(upload_id) for upload_id in ids]


def refusal(pointer: str, place: int) -> InvalidRequest:
    """Return what is told about an upload that cannot be taken."""
    return InvalidRequest.at(f"{pointer}/{place}", "It is no unused upload of yours.")


def unused(ids: Collection[uuid.UUID], *, hold: bool = True) -> dict[uuid.UUID, Upload]:
    """Lock those of these uploads that nothing uses yet, and return them by their ids.

    What was kept for a message that is being said now is among them. One statement for all
    that a transaction takes: so they are locked in the order of ids. Who locks more streams
    after this looks first without ``hold``, and holds them then.
    """
    free = Q(used_by_id=None) | Q(used_by_kind="due")
    uploads = Upload.objects.select_for_update() if hold else Upload.objects.all()
    found = uploads.filter(free, pk__in=ids, stored=True, released_at=None)
    return {upload.id: upload for upload in found.order_by("pk")}


def use(ids: Collection[uuid.UUID], by: UsedBy) -> None:
    """Note what uses these uploads, which are locked."""
    Upload.objects.filter(pk__in=ids).update(
        used_by_kind=by.kind, used_by_id=by.id, room_id=by.room_id
    )


def keep_for(by: UsedBy) -> None:
    """Say anew what these uploads are kept for, which are used by the same thing already."""
    Upload.objects.filter(used_by_id=by.id).update(used_by_kind=by.kind)


def give_back(used_by_id: uuid.UUID) -> None:
    """Leave what was kept for something to whoever sent it, as if nothing had used it."""
    Upload.objects.filter(used_by_id=used_by_id).update(
        used_by_kind=None, used_by_id=None, room_id=None
    )


def release(which: Q, moment: datetime) -> None:
    """Let nobody see these uploads any more."""
    Upload.objects.filter(which, released_at=None).update(released_at=moment)


def change_avatar(
    *,
    owner_id: uuid.UUID,
    present: Avatar,
    avatar_id: uuid.UUID | None,
    by: UsedBy,
    moment: datetime,
) -> Avatar:
    """Give a room or a person another avatar, or none; the present one is let go of.

    It is given and returned as it is kept with them.

    Raises:
        InvalidRequest: it is no unused upload of the owner's, or no image.
    """
    taken: list[Upload] = []
    if avatar_id is not None:
        upload = unused([avatar_id]).get(avatar_id)
        if upload is None or upload.owner_id != owner_id or upload.width is None:
            raise InvalidRequest.at("/avatar_id", "It is no unused image of yours.")
        taken.append(upload)
        use([avatar_id], by)
    if present is not None:
        release(Q(pk=present["id"]), moment)
    return plain(attachment(taken[0])) if taken else None
