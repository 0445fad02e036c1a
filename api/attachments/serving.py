"""Answers that are files: to be saved, never run, streamed, in parts where parts are asked for."""

import logging
from collections.abc import Iterator
from typing import Any, NamedTuple

from django.http import HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.utils.http import content_disposition_header, parse_etags
from rest_framework.request import Request

from api import problems
from api.attachments.ranges import Part, Unsatisfiable, part_asked_for
from api.errors import NotFound, RangeNotSatisfiable
from api.uploads import storage
from api.uploads.images import THUMBNAIL_TYPE
from api.uploads.models import Upload

PART_BYTES = 64 * 1024
SANDBOX = "sandbox; default-src 'none'"  # whatever it is, and however it is opened, it does nothing
KEPT = "private, no-cache"  # by the browser alone, which asks each time whether it still may

log = logging.getLogger(__name__)


class Served(NamedTuple):
    """A file and how it is told: the upload itself, or its thumbnail."""

    upload: Upload
    small: bool
    name: str
    content_type: str
    size: int

    @property
    def etag(self) -> str:
        """What is under one id never changes."""
        return f'"{self.upload.id}{"-thumbnail" if self.small else ""}"'


def whole(upload: Upload) -> Served:
    """Return the file itself."""
    return Served(upload, False, upload.name, upload.content_type, upload.size)


def thumbnail(upload: Upload) -> Served:
    """Return the small image.

    Raises:
        NotFound: the file is no image.
    """
    if upload.thumbnail_size is None:
        raise NotFound("It has no thumbnail.")
    name = f"{upload.name.rpartition('.')[0]}.webp"
    return Served(upload, True, name, THUMBNAIL_TYPE, upload.thumbnail_size)


def file_answer(request: Request, served: Served) -> HttpResponseBase:
    """Return a file, a part of it, or that it is the one that the client has.

    Raises:
        NotFound: its bytes are gone.
    """
    if _is_known(request.headers.get("If-None-Match", ""), served.etag):
        return _told(HttpResponse(status=304), served)
    try:
        part = _part(request, served)
    except Unsatisfiable:
        failure = problems.answer(RangeNotSatisfiable(), problems.request_id(request))
        failure["Content-Range"] = f"bytes */{served.size}"
        return failure
    answer = StreamingHttpResponse(_read(served, part or Part(0, served.size - 1)))
    answer["Content-Type"] = served.content_type
    answer["Content-Length"] = str(served.size if part is None else part.length)
    answer["Content-Disposition"] = content_disposition_header(True, served.name) or ""
    if part is not None:
        answer.status_code = 206
        answer["Content-Range"] = f"bytes {part.first}-{part.last}/{served.size}"
    return _told(answer, served)


def _told(answer: HttpResponseBase, served: Served) -> HttpResponseBase:
    answer["ETag"] = served.etag
    answer["Cache-Control"] = KEPT
    answer["Accept-Ranges"] = "bytes"
    answer["Content-Security-Policy"] = SANDBOX
    return answer


def _is_known(header: str, etag: str) -> bool:
    known = parse_etags(header)
    return "*" in known or any(item.removeprefix("W/") == etag for item in known)


def _part(request: Request, served: Served) -> Part | None:
    """Return the part to send; ``Range`` is for GET, and only of what the client has a part of."""
    if request.method != "GET":
        return None
    if request.headers.get("If-Range", served.etag) != served.etag:
        return None
    return part_asked_for(request.headers.get("Range", ""), served.size)


class _Pieces:
    """Bytes of an open file, piece by piece; closed with the answer, also before its end."""

    def __init__(self, file: Any, length: int) -> None:
        self._file, self._left = file, length

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        piece: bytes = self._file.read(min(PART_BYTES, self._left))
        if not piece:
            raise StopIteration
        self._left -= len(piece)
        return piece

    def close(self) -> None:
        """Let go of the file."""
        self._file.close()


def _read(served: Served, part: Part) -> _Pieces:
    try:
        file = storage.opened(served.upload.id, part.first, small=served.small)
    except FileNotFoundError:
        log.error("the bytes of upload %s are gone", served.upload.id)
        raise NotFound from None
    return _Pieces(file, part.length)
