"""The REST door of exports."""

import uuid
from collections.abc import Iterator

from django.http import HttpResponseBase, StreamingHttpResponse
from rest_framework.request import Request

from accounts.queries import session_expiry
from accounts.views import session_of, user_of
from api import allowance, errors
from api.clock import now
from api.codec import Payload, encode, instant
from api.exports import queries
from api.exports.schemas import Begun, Ended, Line
from api.openapi import FILE, header, operation
from api.rest import Endpoint, Query


class ExportView(Endpoint):
    @operation(
        "Take away all that is recorded about oneself: JSON Lines, the last of type `end`",
        query=[header("Content-Disposition", "`attachment`, with a name.", answers=[200])],
        answers={200: FILE},
    )
    def get(self, request: Request) -> HttpResponseBase:
        Query(request)  # none
        user_id = user_of(request).id
        if request.method == "GET":  # HEAD takes nothing away
            allowance.check(allowance.take("exports", user_id))
        answer = StreamingHttpResponse(_parts(user_id, session_of(request).id))
        answer["Content-Type"] = "application/x-ndjson"
        answer["Content-Disposition"] = 'attachment; filename="export.jsonl"'
        return answer


def _parts(user_id: uuid.UUID, session_id: uuid.UUID) -> Iterator[bytes]:
    """Yield an export, some hundred lines at a time, for as long as the session lives.

    Raises:
        SessionRevoked: it has ended, and so does the answer, before its last line.
    """
    yield _line("export", Begun(user_id=user_id, at=instant(now())))
    lines = 1
    for kind, found in queries.everything_of(user_id):
        if session_expiry(session_id) is None:
            raise errors.SessionRevoked
        lines += len(found)
        yield b"".join(_line(kind, item) for item in found)
    yield _line("end", Ended(lines=lines))


def _line(kind: str, data: Payload) -> bytes:
    return encode(Line(type=kind, data=data)) + b"\n"
