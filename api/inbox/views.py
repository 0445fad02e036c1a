"""The REST door of notifications."""

from django.http import HttpResponse
from rest_framework.request import Request

from accounts.views import user_of
from api.inbox import actions, queries, schemas
from api.log.snapshot import snapshot
from api.openapi import CURSOR, limit, operation
from api.rest import Endpoint, Query, answer, cut


class NotificationsView(Endpoint):
    @operation(
        "List notifications, the newest first",
        query=[limit(), CURSOR],
        answers={200: schemas.NotificationList},
    )
    def get(self, request: Request) -> HttpResponse:
        query = Query(request, "limit", "cursor")
        size, cursor, user_id = query.limit(), query.cursor(), user_of(request).id
        with snapshot():
            found = queries.notifications_before(user_id, cursor, size + 1)
            unread = queries.unread_count(user_id)
        items, next_cursor = cut(found, size, lambda item: item.id)
        return answer(
            schemas.NotificationList(
                items=[schemas.notification_out(item) for item in items],
                next_cursor=next_cursor,
                unread_count=unread,
            )
        )


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
