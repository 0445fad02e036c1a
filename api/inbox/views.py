"""The REST door of notifications."""

import uuid
from functools import partial

from django.http import HttpResponse
from rest_framework.request import Request

from accounts.queries import speaks_for_the_service
from accounts.views import user_of
from api import errors
from api.idempotency import once
from api.inbox import actions, queries, schemas
from api.log.snapshot import snapshot
from api.openapi import PAGED, operation
from api.rest import Endpoint, Query, answer


class NotificationsView(Endpoint):
    @operation(
        "List notifications, the newest first",
        query=PAGED,
        answers={200: schemas.NotificationList},
    )
    def get(self, request: Request) -> HttpResponse:
        query = Query(request, "limit", "cursor")
        user_id = user_of(request).id
        with snapshot():
            items, next_cursor = query.page(partial(queries.notifications_before, user_id))
            unread = queries.unread_count(user_id)
        return answer(
            schemas.NotificationList(
                items=[schemas.notification_out(item) for item in items],
                next_cursor=next_cursor,
                unread_count=unread,
            )
        )


class PersonNotificationsView(Endpoint):
    @operation(
        "Tell a person something, as a bot or as staff",
        body=schemas.CreateNotification,
        answers={201: schemas.NotificationOut},
        raises=[
            errors.PermissionDenied,
            errors.NotFound,
            errors.IdempotencyConflict,
            errors.StillRunning,
        ],
    )
    def post(self, request: Request, user_id: uuid.UUID) -> HttpResponse:
        caller = user_of(request)
        if not speaks_for_the_service(caller):
            raise errors.PermissionDenied("Bots and staff notify people.")

        def tell() -> HttpResponse:
            body = self.body(schemas.CreateNotification)
            told = actions.notify(
                user_id=user_id, kind=body.kind, text=body.text, data=body.data, actor_id=caller.id
            )
            return answer(schemas.notification_out(told), 201)

        return once(request, caller.id, tell)


class ReadNotificationsView(Endpoint):
    @operation(
        "Mark notifications as read",
        body=schemas.ReadNotifications,
        answers={200: schemas.NotificationsRead},
    )
    def post(self, request: Request) -> HttpResponse:
        body = self.body(schemas.ReadNotifications)
        read = actions.read_notifications(
            user_id=user_of(request).id, ids=body.ids, up_to=body.up_to
        )
        return answer(read)
