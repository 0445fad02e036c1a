"""The REST door to receipts."""

import uuid
from functools import partial

from django.http import HttpResponse
from rest_framework.request import Request

from accounts.views import user_of
from api import errors
from api.log.snapshot import snapshot
from api.messages.queries import message_for_member
from api.openapi import PAGED, operation
from api.receipts import queries
from api.receipts.schemas import Reader, ReaderList
from api.rest import Endpoint, Query, answer


class ReadersView(Endpoint):
    @operation(
        "List who has read a message; nobody, for who hides their own receipts",
        query=PAGED,
        answers={200: ReaderList},
        raises=[errors.NotFound, errors.PermissionDenied],
    )
    def get(self, request: Request, message_id: uuid.UUID) -> HttpResponse:
        query, viewer_id = Query(request, "limit", "cursor"), user_of(request).id
        with snapshot():
            message = message_for_member(message_id, viewer_id)
            people, next_cursor = query.page(partial(queries.readers_of, message, viewer_id))
        items = [Reader(user=person) for person in people]
        return answer(ReaderList(items=items, next_cursor=next_cursor))
