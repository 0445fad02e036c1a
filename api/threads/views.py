"""The REST door to threads."""

import uuid

from django.http import HttpResponse
from rest_framework.request import Request

from accounts.views import user_of
from api import errors
from api.log.pages import Window
from api.log.snapshot import snapshot
from api.messages.queries import thread_page
from api.openapi import limit, number, operation
from api.rest import Endpoint, Query, answer
from api.threads import actions, queries, schemas

REFUSED = [errors.NotFound, errors.PermissionDenied]


class ThreadView(Endpoint):
    @operation(
        "Read the replies in a thread, by the id of its root",
        query=[
            number("before", "Only numbers below this one."),
            number("after", "Only numbers above this one."),
            number("around", "The neighbourhood of this number, itself included."),
            limit(),
        ],
        answers={200: schemas.Replies},
        raises=REFUSED,
    )
    def get(self, request: Request, message_id: uuid.UUID) -> HttpResponse:
        query = Query(request, "before", "after", "around", "limit")
        window = Window(
            limit=query.limit(),
            before=query.number("before"),
            after=query.number("after"),
            around=query.number("around"),
        )
        user_id = user_of(request).id
        with snapshot():
            room_id = queries.room_of_root(message_id)
            page = thread_page(room_id, user_id, message_id, window)
            position = queries.position(room_id, message_id, user_id)
        return answer(
            schemas.Replies(
                items=page.items,
                **page.bounds(),
                read_seq=position.read_seq if position else None,
                unread_count=position.unread_count if position else None,
            )
        )


class ReadThreadView(Endpoint):
    @operation(
        "Note how far one has read in a thread",
        body=schemas.ReadThread,
        answers={200: schemas.ThreadCounts},
        raises=REFUSED,
    )
    def put(self, request: Request, message_id: uuid.UUID) -> HttpResponse:
        body = self.body(schemas.ReadThread)
        counts = actions.mark_thread_read(
            user_id=user_of(request).id,
            root_id=message_id,
            seq=body.seq,
            backward=body.backward,
        )
        return answer(counts)
