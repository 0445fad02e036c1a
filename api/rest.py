"""What every view is made of: its base, its answers, its query string, its pages."""

import base64
import binascii
import math
import uuid
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any, TypeVar

import msgspec
from django.conf import settings
from django.http import HttpResponse
from rest_framework.request import Request
from rest_framework.views import APIView
from typing_extensions import override

from api import allowance, codec
from api.codec import INTEGER_MAX
from api.errors import InvalidRequest
from api.limits import Verdict
from api.media import raw_body

PAGE_DEFAULT = 50
IDS_MAX = 100

BodyType = TypeVar("BodyType", bound=codec.Body)
Row = TypeVar("Row")


class NoFields(codec.Body):
    """The body of what takes none: absent, or an empty object."""


class Endpoint(APIView):
    """A resource. Methods read their input with the functions below and answer structs."""

    _verdict: Verdict | None = None

    @override
    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """Let in whoever may come, with what the method takes.

        Raises:
            MalformedJson, InvalidRequest, UnsupportedMediaType: a body where none is taken.
        """
        super().initial(request, *args, **kwargs)
        method = getattr(self, str(request.method).lower(), None)
        if not getattr(method, "takes_body", True):
            self.body(NoFields)

    @override
    def options(self, request: Any, *args: Any, **kwargs: Any) -> Any:
        """Say which methods there are (RFC 9110, section 9.3.7)."""
        return nothing(headers={"Allow": ", ".join(self.allowed_methods)})

    @override
    def check_throttles(self, request: Request) -> None:
        """Count the request for its user, wherever else they make requests.

        Raises:
            RateLimited: they have made too many.
        """
        if request.auth is None:
            return
        user: Any = request.user
        self._verdict = allowance.take("requests", user.id)
        allowance.check(self._verdict)

    @override
    def finalize_response(self, request: Request, response: Any, *args: Any, **kwargs: Any) -> Any:
        """Say how many more requests there may be (draft-ietf-httpapi-ratelimit-headers)."""
        found = super().finalize_response(request, response, *args, **kwargs)
        rate, verdict = settings.LIMITS.requests, self._verdict
        if rate is not None and verdict is not None:
            window = math.ceil(rate.burst / rate.per_second)
            found["RateLimit-Policy"] = f'"requests";q={rate.burst};w={window}'
            found["RateLimit"] = f'"requests";r={verdict.left};t={math.ceil(verdict.full_in)}'
        return found

    def body(self, shape: type[BodyType]) -> BodyType:
        """Return the request's body; an absent one counts as ``{}``.

        Raises:
            MalformedJson, InvalidRequest: as ``codec.decode``.
            UnsupportedMediaType: it is not application/json.
        """
        return codec.decode(raw_body(self.request), shape)


def answer(payload: Any, status: int = 200, headers: dict[str, str] | None = None) -> HttpResponse:
    """Return a payload as a response, encoded once."""
    return encoded(codec.encode(payload), status, headers)


def encoded(
    content: bytes | str, status: int, headers: dict[str, str] | None = None
) -> HttpResponse:
    """Return JSON as a response."""
    return HttpResponse(content, status=status, headers=headers, content_type="application/json")


def nothing(headers: dict[str, str] | None = None) -> HttpResponse:
    """Return 204."""
    response = HttpResponse(status=204, headers=headers)
    del response["Content-Type"]
    return response


class Query:
    """The query string, strictly: only the named parameters, each once; none named, none taken."""

    def __init__(self, request: Request, *names: str) -> None:
        for name, values in request.query_params.lists():
            if name not in names:
                raise InvalidRequest(f"There is no parameter '{name[:40]}' here.")
            if len(values) > 1:
                raise InvalidRequest(f"The parameter '{name}' is given twice.")
            if "\x00" in values[0]:
                raise InvalidRequest(f"The parameter '{name}' has a NUL character.")
        self._values: Mapping[str, str] = request.query_params.dict()

    def text(self, name: str, length_max: int = 200) -> str | None:
        """Return a parameter's text, None when it is absent."""
        value = self._values.get(name)
        if value is not None and len(value) > length_max:
            raise InvalidRequest(f"The parameter '{name}' is too long.")
        return value

    def number(self, name: str, low: int = 0, high: int = INTEGER_MAX) -> int | None:
        """Return a parameter that is a whole number, None when it is absent."""
        value = self._values.get(name)
        if value is None:
            return None
        plain = value.isascii() and value.isdigit() and len(value) <= len(str(INTEGER_MAX))
        if not plain or not low <= int(value) <= high:
            raise InvalidRequest(f"The parameter '{name}' is not between {low} and {high}.")
        return int(value)

    def choice(self, name: str, *choices: str) -> str | None:
        """Return a parameter that is one of these words, None when it is absent."""
        value = self._values.get(name)
        if value is not None and value not in choices:
            raise InvalidRequest(f"The parameter '{name}' is none of: {', '.join(choices)}.")
        return value

    def limit(self, default: int = PAGE_DEFAULT, high: int | None = None) -> int:
        """Return ``limit``: how many items a page may hold."""
        return self.number("limit", 1, high or settings.LIMITS.page or 1_000) or default

    def ids(self, name: str = "ids") -> list[uuid.UUID] | None:
        """Return a comma-separated list of at most 100 ids, None when it is absent."""
        value = self._values.get(name)
        if value is None:
            return None
        try:
            found = [uuid.UUID(item) for item in value.split(",")]
        except ValueError:
            raise InvalidRequest(f"The parameter '{name}' is no list of ids.") from None
        if len(found) > IDS_MAX:
            raise InvalidRequest(f"The parameter '{name}' has more than {IDS_MAX} ids.")
        return found

    def one_id(self, name: str) -> uuid.UUID | None:
        """Return a parameter that is an id, None when it is absent."""
        value = self._values.get(name)
        if value is None:
            return None
        try:
            return uuid.UUID(value)
        except ValueError:
            raise InvalidRequest(f"The parameter '{name}' is no id.") from None

    def moment(self, name: str) -> datetime | None:
        """Return a parameter that is an RFC 3339 time, in UTC; None when it is absent."""
        value = self._values.get(name)
        if value is None:
            return None
        try:
            return msgspec.convert(value, codec.Moment).astimezone(UTC)
        except (msgspec.ValidationError, OverflowError):
            detail = f"The parameter '{name}' is no RFC 3339 time with an offset."
            raise InvalidRequest(detail) from None

    def cursor(self) -> uuid.UUID | None:
        """Return the id after which a page begins, None for the first page."""
        place = self.place()
        if place is None:
            return None
        try:
            return uuid.UUID(bytes=place)
        except ValueError:
            raise InvalidRequest("The parameter 'cursor' is none of ours.") from None

    def page(
        self, read: Callable[[uuid.UUID | None, int], list[Row]], by: str = "id"
    ) -> tuple[list[Row], str | None]:
        """Return the page that ``limit`` and ``cursor`` ask for, and the cursor of the next one.

        ``read`` finds so many rows after an id, from the first one after None; ``by`` is what
        a row calls that id.
        """
        size = self.limit()
        found = read(self.cursor(), size + 1)
        rows = found[:size]
        return rows, cursor_after(getattr(rows[-1], by)) if len(found) > size else None

    def place(self) -> bytes | None:
        """Return the bytes after which a page begins, None for the first page."""
        value = self._values.get("cursor")
        if value is None:
            return None
        try:
            found = base64.b64decode(value + "=" * (-len(value) % 4), b"-_", validate=True)
        except (ValueError, binascii.Error):
            found = b""
        if cursor_at(found) != value:  # spelled otherwise, or not at all
            raise InvalidRequest("The parameter 'cursor' is none of ours.")
        return found


def cursor_after(last_id: uuid.UUID) -> str:
    """Return the opaque cursor of the page that begins after this id."""
    return cursor_at(last_id.bytes)


def cursor_at(place: bytes) -> str:
    """Return the opaque cursor of the page that begins after this place."""
    return base64.urlsafe_b64encode(place).rstrip(b"=").decode()
