"""Writes of uploads: keeping a file that somebody has sent."""

import io
import uuid
from typing import IO

from api.clock import now
from api.errors import InvalidRequest
from api.log.append import writing
from api.uploads import images, kinds, names, storage
from api.uploads.images import MadeAnew
from api.uploads.models import Upload
from api.uploads.schemas import Attachment, attachment


def take_in(*, owner_id: uuid.UUID, name: str, file: IO[bytes]) -> Upload:
    """Put a file that somebody has sent where files are; nothing can use it until it is kept.

    Raises:
        InvalidRequest: it is empty, broken, or not what its name says.
    """
    file.seek(0)
    head = file.read(kinds.HEAD_BYTES)
    if not head:
        raise InvalidRequest.at("/file", "The file is empty.")
    shown = names.cleaned(name)
    kind = kinds.image_kind(head, shown)
    if kind is None:
        content_type = kinds.content_type(head, shown)
        upload = _new(owner_id, shown, content_type, file)
        return _stored(upload, file, None)
    made = images.made_anew(file, kind)
    with made.file:
        upload = _new(owner_id, kinds.named_as(kind, shown), kind.content_type, made.file, made)
        return _stored(upload, made.file, made.thumbnail)


def keep(upload: Upload) -> Attachment:
    """Keep a file that was taken in, to be used by one thing within a day."""
    with writing():
        Upload.objects.filter(pk=upload.id).update(stored=True)
    return attachment(upload)


def _new(
    owner_id: uuid.UUID,
    name: str,
    content_type: str,
    file: IO[bytes],
    image: MadeAnew | None = None,
) -> Upload:
    return Upload(
        owner_id=owner_id,
        name=name,
        content_type=content_type,
        size=file.seek(0, io.SEEK_END),
        width=image and image.width,
        height=image and image.height,
        thumbnail_size=image and len(image.thumbnail),
        created_at=now(),
    )


def _stored(upload: Upload, file: IO[bytes], thumbnail: bytes | None) -> Upload:
    """Write the row first: a file that is there without one would stay for ever."""
    with writing():
        upload.save(force_insert=True)
    storage.put(upload.id, file, thumbnail)
    return upload
