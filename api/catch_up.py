"""The REST door to the log: what happened in a stream since a number."""

import uuid
from dataclasses import replace
from typing import Any

import msgspec
from django.conf import settings
from django.http import HttpResponse
from rest_framework.request import Request

from accounts.views import user_of
from api import errors
from api.codec import Payload, encode
from api.log.frames import EventFrame
from api.log.heads import head_of
from api.log.pages import PAGE_BYTES_MAX, Window
from api.log.reading import STREAM
from api.log.snapshot import snapshot
from api.openapi import limit, number, operation
from api.replay import shown_one_by_one
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
    """Return a page of events, or as many of them as are not too much."""
    page = STREAM.page(window, head, stream=stream)
    items: list[Any] = []
    size = 0
    for event in shown_one_by_one(page.items):
        encoded = b"" if event.shown is None else encode(event.shown)
        size += len(encoded)
        if items and size > PAGE_BYTES_MAX:
            page = replace(page, last=event.seq - 1, has_more=True)
            break
        if encoded:
            items.append(msgspec.Raw(encoded))
    return EventList(items=items, **page.bounds())


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
