"""The REST door to receipts."""

import uuid

from django.http import HttpResponse
from rest_framework.request import Request

from accounts.views import user_of
from api import errors
from api.log.snapshot import snapshot
from api.messages.queries import message_for_member
from api.openapi import CURSOR, limit, operation
from api.receipts import queries
from api.receipts.schemas import Reader, ReaderList
from api.rest import Endpoint, Query, answer, cut


class ReadersView(Endpoint):
    @operation(
        "List who has read a message; nobody, for who hides their own receipts",
        query=[limit(), CURSOR],
        answers={200: ReaderList},
        raises=[errors.NotFound, errors.PermissionDenied],
    )
    def get(self, request: Request, message_id: uuid.UUID) -> HttpResponse:
        query, viewer_id = Query(request, "limit", "cursor"), user_of(request).id
        size, after = query.limit(), query.cursor()
        with snapshot():
            message = message_for_member(message_id, viewer_id)
            found = queries.readers_of(message, viewer_id, after, size + 1)
        people, next_cursor = cut(found, size, lambda person: person.id)
        items = [Reader(user=person) for person in people]
        return answer(ReaderList(items=items, next_cursor=next_cursor))
