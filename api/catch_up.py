"""The REST door to the log: what happened in a stream since a number."""

import uuid
from typing import Any

from django.conf import settings
from django.http import HttpResponse
from rest_framework.request import Request

from accounts.views import user_of
from api import errors
from api.codec import Payload
from api.log.frames import EventFrame
from api.log.heads import head_of
from api.log.pages import Window
from api.log.reading import STREAM
from api.log.snapshot import snapshot
from api.openapi import limit, number, operation
from api.replay import shown
from api.rest import Endpoint, Query, answer
from api.rooms import queries as rooms

QUERY = [number("after", "Only numbers above this one; 0 by default."), limit(1_000)]


class EventList(Payload, rename={"first": "from", "last": "to"}):
    """Events numbered ``from`` to ``to``, as they are now. Some may have been left out."""

    items: list[EventFrame]
    first: int
    last: int
    head: int
    has_more: bool


def _window(request: Request) -> Window:
    query = Query(request, "after", "limit")
    size = query.limit(high=settings.LIMITS.events_page)
    return Window(limit=size, after=query.number("after") or 0)


def _events(stream: uuid.UUID, window: Window, head: int) -> EventList:
    found = STREAM.page(window, head, stream=stream)
    replayed = shown(found.items).get(stream, [])
    items: list[Any] = [event.shown for event in replayed if event.shown is not None]
    return EventList(items=items, **found.bounds())


class RoomEventsView(Endpoint):
    @operation(
        "What happened in a room since a number",
        query=QUERY,
        answers={200: EventList},
        raises=[errors.NotFound, errors.PermissionDenied],
    )
    def get(self, request: Request, room_id: uuid.UUID) -> HttpResponse:
        window = _window(request)
        with snapshot():
            head = rooms.head_for_member(room_id, user_of(request).id)
            return answer(_events(room_id, window, head))


class MyEventsView(Endpoint):
    @operation("What happened to oneself since a number", query=QUERY, answers={200: EventList})
    def get(self, request: Request) -> HttpResponse:
        window = _window(request)
        user_id = user_of(request).id
        with snapshot():
            return answer(_events(user_id, window, head_of(user_id)))
