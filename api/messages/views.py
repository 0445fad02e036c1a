"""The REST door of messages."""

import uuid

from django.http import HttpResponse
from rest_framework.request import Request

from accounts.views import user_of
from api import errors
from api.log.pages import Window, window_of
from api.log.snapshot import snapshot
from api.messages import actions, grouping, queries, schemas, viewing
from api.messages.sending import Send
from api.openapi import WINDOWED, operation, parameter
from api.rest import Endpoint, Query, answer, encoded

REFUSED = [errors.NotFound, errors.PermissionDenied]
WRITE_REFUSED = [*REFUSED, errors.RoomArchived, errors.Muted]


def _as_now(message_id: uuid.UUID, user_id: uuid.UUID) -> schemas.MessageOut:
    with snapshot():
        return queries.message_for_member(message_id, user_id)


class MessagesView(Endpoint):
    @operation(
        "Read the history of a room",
        query=[
            *WINDOWED,
            parameter(
                "ids",
                "These messages only; comma-separated, at most 100. With `has_more` some did not"
                " fit: ask for those again.",
            ),
            parameter("thread", "`none` leaves out the replies in threads.", enum=["none"]),
        ],
        answers={200: schemas.MessageList},
        raises=REFUSED,
    )
    def get(self, request: Request, room_id: uuid.UUID) -> HttpResponse:
        query = Query(request, "before", "after", "around", "limit", "ids", "thread")
        threads = query.choice("thread", "none") is None
        window = window_of(query)
        ids = query.ids()
        if ids is not None and window != Window(limit=query.limit()):
            raise errors.InvalidRequest("The parameter 'ids' goes without a window.")
        user_id = user_of(request).id
        if ids is None:
            page = queries.messages_in(room_id, user_id, window, threads=threads)
        else:
            with snapshot():
                page = queries.messages_by_id(room_id, user_id, ids, threads=threads)
        return encoded(page.encoded(window, schemas.message_list), 200)

    @operation(
        "Send a message",
        body=schemas.Content,
        answers={201: schemas.WrittenMessage, 200: schemas.MessageOut},
        raises=[
            *WRITE_REFUSED,
            errors.IdempotencyConflict,
            errors.SlowMode,
            errors.NotSupported,
        ],
    )
    def post(self, request: Request, room_id: uuid.UUID) -> HttpResponse:
        content = self.body(schemas.Content)
        sender_id = user_of(request).id
        waiting = grouping.submit(Send(sender_id, room_id, content))
        if waiting is None:
            sent = actions.send_message(sender_id=sender_id, room_id=room_id, content=content)
        else:
            sent = waiting.result()
        if sent.replayed:
            message = _as_now(sent.message.id, sender_id)
            return answer(message, 200, {"Idempotent-Replayed": "true"})
        message = viewing.just_said(sent.message)
        return answer(schemas.written(message, sent.warnings), 201)


class MessageView(Endpoint):
    @operation("Read a message", answers={200: schemas.MessageOut}, raises=REFUSED)
    def get(self, request: Request, message_id: uuid.UUID) -> HttpResponse:
        Query(request)  # none
        return answer(_as_now(message_id, user_of(request).id))

    @operation(
        "Edit one's own message",
        body=schemas.EditMessage,
        answers={200: schemas.WrittenMessage},
        raises=[*WRITE_REFUSED, errors.Conflict],
    )
    def patch(self, request: Request, message_id: uuid.UUID) -> HttpResponse:
        body = self.body(schemas.EditMessage)
        message = actions.edit_message(
            actor_id=user_of(request).id,
            message_id=message_id,
            text=body.text,
            if_changed_seq=body.if_changed_seq,
        )
        return answer(message)

    @operation(
        "Delete a message; the answer is its tombstone",
        answers={200: schemas.MessageOut},
        raises=WRITE_REFUSED,
    )
    def delete(self, request: Request, message_id: uuid.UUID) -> HttpResponse:
        message = actions.delete_message(actor_id=user_of(request).id, message_id=message_id)
        return answer(message)


class DeleteMessagesView(Endpoint):
    @operation(
        "Delete every message in ranges of numbers",
        body=schemas.DeleteMessages,
        answers={200: schemas.Deleted},
        raises=WRITE_REFUSED,
    )
    def post(self, request: Request, room_id: uuid.UUID) -> HttpResponse:
        body = self.body(schemas.DeleteMessages)
        deleted = actions.delete_messages(
            actor_id=user_of(request).id, room_id=room_id, ranges=body.ranges
        )
        return answer(deleted)
