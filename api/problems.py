"""Every error of the REST door becomes one problem document (RFC 9457).

The only place that knows HTTP statuses of errors.
"""

import logging
from http import HTTPStatus
from typing import Any

from django.core.exceptions import RequestDataTooBig
from django.core.signals import got_request_exception
from django.db import InterfaceError, OperationalError
from django.http import Http404, HttpRequest, HttpResponse
from rest_framework import exceptions
from rest_framework.request import Request

from api import errors, invalid, metrics
from api.codec import Payload, encode
from api.errors import ChatError, Kind

STATUS = {
    Kind.INVALID: 400,
    Kind.UNAUTHENTICATED: 401,
    Kind.FORBIDDEN: 403,
    Kind.MISSING: 404,
    Kind.WRONG_METHOD: 405,
    Kind.CONFLICT: 409,
    Kind.TOO_LARGE: 413,
    Kind.WRONG_MEDIA: 415,
    Kind.NO_SUCH_PART: 416,
    Kind.TOO_MANY: 429,
    Kind.BROKEN: 500,
    Kind.UNAVAILABLE: 503,
}

log = logging.getLogger(__name__)


class FaultOut(Payload):
    """What is wrong with one field."""

    pointer: str
    detail: str


class Problem(Payload, omit_defaults=True):
    """An error; ``errors`` with bad input, ``retry_after`` (seconds) with 429 and 503."""

    type: str
    title: str
    status: int
    detail: str
    code: str
    request_id: str
    retryable: bool
    errors: list[FaultOut] | None = None
    retry_after: int | None = None


def status_of(error: ChatError | type[ChatError]) -> int:
    """Return the HTTP status of an error."""
    return STATUS[error.kind]


def answer(error: ChatError, request_id: str) -> HttpResponse:
    """Return the problem document of an error."""
    status = status_of(error)
    problem = Problem(
        type="about:blank",
        title=HTTPStatus(status).phrase,
        status=status,
        detail=error.detail,
        code=error.code,
        request_id=request_id,
        retryable=error.retryable,
        errors=[FaultOut(pointer=f.pointer, detail=f.detail) for f in error.errors] or None,
        retry_after=error.retry_after,
    )
    response = HttpResponse(encode(problem), status=status, content_type="application/problem+json")
    if error.retry_after is not None:
        response["Retry-After"] = str(error.retry_after)
    if status == HTTPStatus.UNAUTHORIZED:
        response["WWW-Authenticate"] = "Bearer"
    return response


def handle(error: Exception, context: dict[str, Any]) -> HttpResponse:
    """Answer an exception that came out of a view (DRF's ``EXCEPTION_HANDLER``)."""
    request: Request = context["request"]
    failure = translated(error)
    if isinstance(failure, errors.Internal):
        got_request_exception.send(sender=handle, request=request._request)
    invalid.note(failure, request.META.get("REMOTE_ADDR", ""))
    return answer(failure, request_id(request))


def translated(error: Exception) -> ChatError:
    """Return what a client is told about an exception of whatever origin."""
    match error:
        case ChatError():
            return error
        case exceptions.NotAuthenticated():
            return errors.NotAuthenticated()
        case exceptions.UnsupportedMediaType():
            return errors.UnsupportedMediaType()
        case exceptions.MethodNotAllowed():
            return errors.MethodNotAllowed()
        case Http404():
            return errors.NotFound()
        case RequestDataTooBig():
            return errors.PayloadTooLarge()
        case OperationalError() | InterfaceError():
            metrics.database_errors.inc()
            log.warning("the database does not answer: %s", type(error).__name__)
            return errors.Unavailable()
        case _:
            log.error("unexpected", exc_info=error)
            return errors.Internal()


def request_id(request: Request | HttpRequest) -> str:
    """Return the id under which this request is logged."""
    return request.headers.get("X-Request-ID", "")


def no_such_path(request: HttpRequest, exception: Exception) -> HttpResponse:  # noqa: ARG001
    """Answer a path that leads nowhere (Django's ``handler404``)."""
    return answer(errors.NotFound("There is no such path."), request_id(request))


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:  # noqa: ARG001
    """Answer what Django itself refuses, as a foreign host name (``handler400``)."""
    return answer(errors.InvalidRequest(), request_id(request))


def broken(request: HttpRequest) -> HttpResponse:
    """Answer an exception outside of any view (``handler500``)."""
    return answer(errors.Internal(), request_id(request))
