"""The REST door of reports: for who reports, and for who decides."""

import uuid
from functools import partial

from django.http import HttpResponse
from rest_framework.request import Request

from accounts.views import user_of
from api import errors
from api.idempotency import once
from api.log.snapshot import snapshot
from api.moderation import queries, reports, schemas
from api.openapi import CURSOR, limit, operation, parameter
from api.rest import Endpoint, Query, answer

REFUSED = [errors.NotFound, errors.PermissionDenied, errors.RoomArchived]
TWICE = [errors.IdempotencyConflict, errors.StillRunning]


class ReportMessageView(Endpoint):
    @operation(
        "Report a message to the moderators of its room; in a direct room, to the operators",
        body=schemas.ReportMessage,
        answers={201: schemas.ReportFiled, 200: schemas.ReportFiled},
        raises=[*REFUSED, *TWICE],
    )
    def post(self, request: Request, message_id: uuid.UUID) -> HttpResponse:
        user_id = user_of(request).id

        def file() -> HttpResponse:
            body = self.body(schemas.ReportMessage)
            report, new = reports.report_message(
                reporter_id=user_id, message_id=message_id, reason=body.reason
            )
            return answer(schemas.report_filed(report), 201 if new else 200)

        return once(request, user_id, file)


class ReportsView(Endpoint):
    @operation(
        "List the reports of the rooms that one moderates, the newest first; those of direct rooms "
        "are for operators",
        query=[
            parameter("state", "`open`, if it is not given.", enum=["open", "resolved"]),
            limit(),
            CURSOR,
        ],
        answers={200: schemas.ReportList},
    )
    def get(self, request: Request) -> HttpResponse:
        query = Query(request, "state", "limit", "cursor")
        is_open = query.choice("state", "open", "resolved") != "resolved"
        read = partial(queries.reports_before, user_of(request).id, is_open=is_open)
        with snapshot():
            found, next_cursor = query.page(read)
            items = queries.reports_shown(found)
        return answer(schemas.ReportList(items=items, next_cursor=next_cursor))


class ResolveReportView(Endpoint):
    @operation(
        "Decide about a report",
        body=schemas.ResolveReport,
        answers={200: schemas.ReportOut},
        raises=[*REFUSED, errors.Conflict],
    )
    def post(self, request: Request, report_id: uuid.UUID) -> HttpResponse:
        body = self.body(schemas.ResolveReport)
        report = reports.resolve_report(
            actor_id=user_of(request).id, report_id=report_id, action=body.action, note=body.note
        )
        return answer(queries.reports_shown([report])[0])
