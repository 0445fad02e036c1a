"""The REST door to threads."""

import uuid
from functools import partial

from django.http import HttpResponse
from rest_framework.request import Request

from accounts.views import user_of
from api import errors
from api.log.pages import Page, window_of
from api.log.snapshot import snapshot
from api.messages.queries import messages_as_seen, thread_page
from api.messages.schemas import MessageOut
from api.openapi import PAGED, WINDOWED, operation
from api.rest import Endpoint, Query, answer, encoded
from api.threads import actions, queries, schemas

REFUSED = [errors.NotFound, errors.PermissionDenied]


class ThreadView(Endpoint):
    @operation(
        "Read the replies in a thread, by the id of its root",
        query=WINDOWED,
        answers={200: schemas.Replies},
        raises=REFUSED,
    )
    def get(self, request: Request, message_id: uuid.UUID) -> HttpResponse:
        window = window_of(Query(request, "before", "after", "around", "limit"))
        user_id = user_of(request).id
        with snapshot():
            room_id = queries.room_of_root(message_id)
            page = thread_page(room_id, user_id, message_id, window)
            position = queries.position(room_id, message_id, user_id)
        return encoded(page.encoded(window, partial(_replies, position)), 200)


def _replies(position: queries.Position | None, page: Page[MessageOut]) -> schemas.Replies:
    return schemas.Replies(
        items=page.items,
        **page.bounds(),
        read_seq=position.read_seq if position else None,
        unread_count=position.unread_count if position else None,
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


class FollowedThreadsView(Endpoint):
    @operation(
        "List the threads that one has replied in, or begun, the newest reply first",
        query=PAGED,
        answers={200: schemas.FollowedThreads},
    )
    def get(self, request: Request) -> HttpResponse:
        query, user_id = Query(request, "limit", "cursor"), user_of(request).id
        with snapshot():
            page, next_cursor = query.page(partial(queries.followed_by, user_id), by="last_id")
            positions = queries.positions(user_id, [thread.root_id for thread in page])
            ids = [message_id for thread in page for message_id in thread]
            seen = {message.id: message for message in messages_as_seen(ids, user_id)}
        items = [
            schemas.FollowedThread(
                seen[thread.root_id], seen[thread.last_id], *positions[thread.root_id]
            )
            for thread in page
        ]
        return answer(schemas.FollowedThreads(items=items, next_cursor=next_cursor))
