"""The REST door of attachments."""

import hashlib
import math
import uuid
from typing import Any

from django.conf import settings
from django.core.files.uploadedfile import UploadedFile
from django.http import HttpResponse, HttpResponseBase
from rest_framework.request import Request
from typing_extensions import override

from accounts.authentication import BearerAuthentication, DownloadAuthentication
from accounts.views import user_of
from api import errors
from api.attachments import queries, reception, serving
from api.idempotency import Repeatable
from api.limiter import limiter
from api.limits import Rate
from api.log.snapshot import snapshot
from api.openapi import FILE, Form, header, operation
from api.rest import Endpoint, Query, answer
from api.uploads import actions
from api.uploads.models import Upload
from api.uploads.schemas import Attachment

DOWNLOADED = {200: FILE, 206: FILE, 304: None}
HEADERS = [
    header("Range", "`bytes=first-last`: one part of the file."),
    header("If-Range", "The `ETag` of the file that the part is to be of."),
    header("If-None-Match", "The `ETag` of the file that the client has."),
    header("ETag", "Names the file; it never changes.", answers=[200, 206, 304]),
    header("Accept-Ranges", "`bytes`.", answers=[200, 206, 304]),
    header("Content-Disposition", "`attachment`, with the name.", answers=[200, 206]),
    header("Content-Range", "Which part, of how many bytes.", answers=[206]),
]


class UploadsView(Endpoint):
    parser_classes = (reception.FormParser,)
    content_negotiation_class = reception.FormOnly

    @operation(
        "Send a file, to be used by one message, or as an avatar, within a day",
        body=Form,
        answers={201: Attachment},
        raises=[errors.IdempotencyConflict, errors.StillRunning],
    )
    def post(self, request: Request) -> HttpResponse:
        Query(request)  # none
        file = reception.file_of(request)
        limit, size = settings.LIMITS.upload_bytes, file.size or 0
        if limit is not None and size > limit:
            raise errors.PayloadTooLarge
        user_id = user_of(request).id
        repeatable = Repeatable(request, user_id, _digest(file))
        known = repeatable.first_answer()
        if known is not None:
            return known
        _check_rates(user_id, size)
        upload = actions.take_in(owner_id=user_id, name=file.name or "", file=file)
        return repeatable.once(lambda: answer(actions.keep(upload), 201))


class DownloadEndpoint(Endpoint):
    """A file. Pages show many at once: they are counted apart from other requests."""

    authentication_classes = (BearerAuthentication, DownloadAuthentication)

    @override
    def check_throttles(self, request: Request) -> None:
        rate = settings.LIMITS.downloads
        if request.auth is not None:
            _take(f"downloads:{user_of(request).id}", rate)

    def upload(self, request: Request, attachment_id: uuid.UUID) -> Upload:
        """Return what is asked for.

        Raises:
            NotFound: it is not there, or not theirs to see.
        """
        Query(request, "token")  # which has been looked at
        with snapshot():
            return queries.upload_for_reader(attachment_id, user_of(request).id)


class AttachmentView(DownloadEndpoint):
    @operation(
        "Download a file, or a part of it",
        query=HEADERS,
        answers=DOWNLOADED,
        raises=[errors.NotFound, errors.RangeNotSatisfiable],
    )
    def get(self, request: Request, attachment_id: uuid.UUID) -> HttpResponseBase:
        return serving.file_answer(request, serving.whole(self.upload(request, attachment_id)))


class ThumbnailView(DownloadEndpoint):
    @operation(
        "Download the small form of an image, at most 320 pixels long and wide",
        query=HEADERS,
        answers=DOWNLOADED,
        raises=[errors.NotFound, errors.RangeNotSatisfiable],
    )
    def get(self, request: Request, attachment_id: uuid.UUID) -> HttpResponseBase:
        small = serving.thumbnail(self.upload(request, attachment_id))
        return serving.file_answer(request, small)


def _check_rates(user_id: uuid.UUID, size: int) -> None:
    """Count an upload for its sender, and its bytes.

    Raises:
        RateLimited: there have been too many.
    """
    _take(f"uploads:{user_id}", settings.LIMITS.uploads)
    _take(f"upload-bytes:{user_id}", settings.LIMITS.upload_volume, size)


def _take(key: str, rate: Rate | None, count: int = 1) -> None:
    verdict = rate and limiter().take(key, rate, count)
    if verdict and verdict.wait > 0.0:
        raise errors.RateLimited(retry_after=math.ceil(verdict.wait))


def _digest(file: "UploadedFile[Any]") -> bytes:
    """Return what a repeated upload is known by: every sender draws the form anew."""
    found = hashlib.sha256((file.name or "").encode())
    for chunk in file.chunks():
        found.update(chunk)
    return found.digest()
