"""Where the bytes of uploads are: Django's storage of the name ``attachments``.

A folder by default, S3 or anything else by setting. A file is written once and never changed.
"""

import logging
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO, Any

from django.core.files import File
from django.core.files.base import ContentFile
from django.core.files.storage import storages

from api.errors import Unavailable
from api.uploads.models import Upload

log = logging.getLogger(__name__)


def put(upload_id: uuid.UUID, file: IO[bytes], thumbnail: bytes | None) -> None:
    """Keep a file, and the small image that stands for it.

    Raises:
        Unavailable: there is no place for it at the moment.
    """
    file.seek(0)
    with _answering():
        _storage().save(_key(upload_id), File(file))
        if thumbnail is not None:
            _storage().save(_key(upload_id, small=True), ContentFile(thumbnail))


def opened(upload_id: uuid.UUID, first: int, *, small: bool = False) -> Any:
    """Open a file for reading from its byte ``first`` on; what a bucket has is here then.

    Raises:
        FileNotFoundError: it is not there.
        Unavailable: the storage does not answer.
    """
    with _answering():
        file = _storage().open(_key(upload_id, small=small))
        file.seek(first)
        return file


def remove(upload: Upload) -> None:
    """Remove what is kept of an upload; what is not there is removed already."""
    _storage().delete(_key(upload.id))
    if upload.thumbnail_size is not None:
        _storage().delete(_key(upload.id, small=True))


@contextmanager
def _answering() -> Iterator[None]:
    try:
        yield
    except FileNotFoundError:
        raise
    except Exception as error:  # a full disk, a bucket out of reach: every storage has its own
        log.exception("the storage of attachments does not answer")
        raise Unavailable("Attachments are not available right now.") from error


def _storage() -> Any:
    return storages["attachments"]


def _key(upload_id: uuid.UUID, *, small: bool = False) -> str:
    """Return a name in one of 256 folders: the end of an id is its random part."""
    return f"{upload_id.hex[-2:]}/{upload_id}{'.thumbnail' if small else ''}"
