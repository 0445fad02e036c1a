"""How a file comes: one part of ``multipart/form-data``, written to disk as it is read."""

from collections.abc import Mapping
from typing import Any, cast

from django.core.exceptions import RequestDataTooBig, SuspiciousOperation
from django.core.files.uploadedfile import UploadedFile
from django.core.files.uploadhandler import TemporaryFileUploadHandler
from django.http.multipartparser import MultiPartParser, MultiPartParserError
from django.http.request import HttpRequest
from rest_framework.parsers import BaseParser, DataAndFiles
from rest_framework.request import Request
from typing_extensions import override

from api.errors import InvalidRequest, UnsupportedMediaType
from api.media import JsonOnly
from api.uploads.names import NAMELESS, cleaned

FORM = "multipart/form-data"


class _Form(MultiPartParser):
    @override
    def sanitize_file_name(self, file_name: str) -> str:
        return cleaned(file_name)  # Django's own drops files whose name is not printable


class _OnDisk(TemporaryFileUploadHandler):
    @override
    def new_file(self, field_name: str, file_name: str, *rest: Any, **more: Any) -> None:
        super().new_file(field_name, NAMELESS, *rest, **more)  # of the file on disk
        self.file.name = file_name


class FormParser(BaseParser):
    """Read a form; its files are on disk."""

    media_type = FORM

    @override
    def parse(
        self,
        stream: Any,
        media_type: str | None = None,
        parser_context: Mapping[str, Any] | None = None,
    ) -> Any:
        request: HttpRequest = (parser_context or {})["request"]
        meta = {**request.META, "CONTENT_TYPE": media_type}
        handlers = [_OnDisk(request)]
        try:
            return DataAndFiles(*_Form(meta, stream, handlers, "utf-8").parse())
        except RequestDataTooBig:
            raise
        except (MultiPartParserError, SuspiciousOperation, ValueError, LookupError):
            raise InvalidRequest("The body is no form with a file.") from None


class FormOnly(JsonOnly):
    """A form comes in, JSON goes out."""

    @override
    def select_parser(self, request: Request, parsers: Any) -> Any:
        content_type = (request.content_type or "").partition(";")[0].strip().lower()
        return parsers[0] if content_type == FORM else None


def file_of(request: Request) -> "UploadedFile[Any]":
    """Return the one file of a request, in its field ``file``.

    Raises:
        InvalidRequest: it has none, or something else as well.
        UnsupportedMediaType: it is no form.
    """
    if request.content_type == "":
        raise UnsupportedMediaType
    found = request.FILES.getlist("file")
    others = sorted({*request.FILES, *request.POST} - {"file"})
    if others:
        raise InvalidRequest(f"There is no field '{others[0][:40]}' here.")
    if len(found) != 1 or "file" in request.POST:
        raise InvalidRequest.at("/file", "One file, with its name, in the field 'file'.")
    return cast("UploadedFile[Any]", found[0])
