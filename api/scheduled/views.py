"""The REST door of scheduled messages."""

import uuid
from functools import partial

from django.http import HttpResponse
from rest_framework.request import Request

from accounts.views import user_of
from api import errors
from api.idempotency import once
from api.openapi import PAGED, operation
from api.rest import Endpoint, Query, answer, nothing
from api.scheduled import actions, queries, schemas

REFUSED = [errors.NotFound, errors.PermissionDenied]


class ScheduledListView(Endpoint):
    @operation(
        "List what one wants to say in a room later",
        query=PAGED,
        answers={200: schemas.ScheduledList},
        raises=REFUSED,
    )
    def get(self, request: Request, room_id: uuid.UUID) -> HttpResponse:
        query = Query(request, "limit", "cursor")
        read = partial(queries.scheduled_after, room_id, user_of(request).id)
        page, next_cursor = query.page(read)
        items = [schemas.scheduled_out(item) for item in page]
        return answer(schemas.ScheduledList(items=items, next_cursor=next_cursor))

    @operation(
        "Say something later",
        body=schemas.Schedule,
        answers={201: schemas.ScheduledOut},
        raises=[
            *REFUSED,
            errors.RoomArchived,
            errors.Muted,
            errors.LimitReached,
            errors.IdempotencyConflict,
            errors.StillRunning,
        ],
    )
    def post(self, request: Request, room_id: uuid.UUID) -> HttpResponse:
        sender_id = user_of(request).id

        def keep() -> HttpResponse:
            content = self.body(schemas.Schedule)
            found = actions.schedule(sender_id=sender_id, room_id=room_id, content=content)
            return answer(schemas.scheduled_out(found), 201)

        return once(request, sender_id, keep)


class ScheduledView(Endpoint):
    @operation(
        "Read what one wants to say later",
        answers={200: schemas.ScheduledOut},
        raises=REFUSED,
    )
    def get(self, request: Request, room_id: uuid.UUID, scheduled_id: uuid.UUID) -> HttpResponse:
        Query(request)  # none
        found = queries.scheduled(room_id, user_of(request).id, scheduled_id)
        return answer(schemas.scheduled_out(found))

    @operation("Say it never", answers={204: None}, raises=[*REFUSED, errors.Conflict])
    def delete(self, request: Request, room_id: uuid.UUID, scheduled_id: uuid.UUID) -> HttpResponse:
        actions.cancel(sender_id=user_of(request).id, room_id=room_id, scheduled_id=scheduled_id)
        return nothing()
