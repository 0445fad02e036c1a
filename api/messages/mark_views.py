"""The REST door of what people put on messages: reactions and pins."""

import uuid

from django.http import HttpResponse
from drf_spectacular.utils import OpenApiParameter
from rest_framework.request import Request

from accounts.views import user_of
from api import errors
from api.log.pages import window_of
from api.messages import pinning, queries, reacting, schemas
from api.openapi import WINDOWED, operation
from api.rest import Endpoint, Query, answer, encoded

REFUSED = [errors.NotFound, errors.PermissionDenied, errors.RoomArchived]
EMOJI = OpenApiParameter(
    "emoji",
    {"type": "string", "minLength": 1},
    location=OpenApiParameter.PATH,
    description="One emoji, percent-encoded, or a `:name:` of `a-z0-9_+-`. "
    "With and without variation selectors it is the same.",
)


class ReactionView(Endpoint):
    @operation(
        "React to a message",
        query=[EMOJI],
        answers={200: schemas.Reacted},
        raises=[*REFUSED, errors.Muted, errors.LimitReached],
    )
    def put(self, request: Request, message_id: uuid.UUID, emoji: str) -> HttpResponse:
        user_id = user_of(request).id
        reacted = reacting.add_reaction(user_id=user_id, message_id=message_id, emoji=emoji)
        return answer(reacted)

    @operation(
        "Take back a reaction",
        query=[EMOJI],
        answers={200: schemas.Reacted},
        raises=REFUSED,
    )
    def delete(self, request: Request, message_id: uuid.UUID, emoji: str) -> HttpResponse:
        user_id = user_of(request).id
        reacted = reacting.remove_reaction(user_id=user_id, message_id=message_id, emoji=emoji)
        return answer(reacted)


class PinView(Endpoint):
    @operation(
        "Pin a message",
        answers={200: schemas.MessageOut},
        raises=[*REFUSED, errors.Muted, errors.LimitReached],
    )
    def put(self, request: Request, message_id: uuid.UUID) -> HttpResponse:
        user_id = user_of(request).id
        return answer(pinning.pin_message(actor_id=user_id, message_id=message_id))

    @operation(
        "Unpin a message",
        answers={200: schemas.MessageOut},
        raises=[*REFUSED, errors.Muted],
    )
    def delete(self, request: Request, message_id: uuid.UUID) -> HttpResponse:
        user_id = user_of(request).id
        return answer(pinning.unpin_message(actor_id=user_id, message_id=message_id))


class PinsView(Endpoint):
    @operation(
        "List the pinned messages of a room",
        query=WINDOWED,
        answers={200: schemas.MessageList},
        raises=[errors.NotFound, errors.PermissionDenied],
    )
    def get(self, request: Request, room_id: uuid.UUID) -> HttpResponse:
        window = window_of(Query(request, "before", "after", "around", "limit"))
        user_id = user_of(request).id
        page = queries.pins_in(room_id, user_id, window)
        return encoded(page.encoded(window, schemas.message_list), 200)
