"""The REST door of searching."""

from django.http import HttpResponse
from rest_framework.request import Request

from accounts.views import user_of
from api import errors
from api.log.snapshot import snapshot
from api.openapi import CURSOR, limit, operation, parameter
from api.rest import Endpoint, Query, answer, cursor_at
from api.rooms import queries as rooms
from api.search import queries
from api.search.looking import HAS, Search
from api.search.schemas import FoundList
from api.search.wanted import wanted_by

_WORDS = (
    'Words that all have to occur, `"words in this order"`, `-not`, `begin*`. Capitals and accents '
    "do not matter; what has no letter and no digit is passed over."
)


class SearchView(Endpoint):
    @operation(
        "Find messages in one's own rooms",
        query=[
            parameter("q", _WORDS, maxLength=200),
            parameter("room", "In this room only.", format="uuid"),
            parameter("from", "By this person only.", format="uuid"),
            parameter("after", "Sent at this time or later.", format="date-time"),
            parameter("before", "Sent earlier than this time.", format="date-time"),
            parameter(
                "has",
                "With a link in the text, a file, or a file that is an image.",
                enum=list(HAS),
            ),
            parameter(
                "order",
                "`newest` first, or by `rank`: the best of the newest 1,000 that match.",
                enum=["newest", "rank"],
                default="newest",
            ),
            limit(),
            CURSOR,
        ],
        answers={200: FoundList},
        raises=[errors.NotFound, errors.PermissionDenied],
    )
    def get(self, request: Request) -> HttpResponse:
        names = ("q", "room", "from", "before", "after", "has", "order", "limit", "cursor")
        query = Query(request, *names)
        search = _search(request, query)
        by_rank = query.choice("order", "newest", "rank") == "rank"
        size, after = query.limit(), query.place()
        with snapshot():
            if search.room_id is not None:
                rooms.head_for_member(search.room_id, search.user_id)
            page = (queries.best if by_rank else queries.newest)(search, size, after)
        next_cursor = None if page.next_place is None else cursor_at(page.next_place)
        return answer(FoundList(items=page.items, next_cursor=next_cursor))


def _search(request: Request, query: Query) -> Search:
    text = (query.text("q") or "").strip()
    search = Search(
        user_id=user_of(request).id,
        wanted=wanted_by(text),
        room_id=query.one_id("room"),
        sender_id=query.one_id("from"),
        since=query.moment("after"),
        until=query.moment("before"),
        has=query.choice("has", *HAS),
    )
    if not text and search.sender_id is None and search.has is None:
        raise errors.InvalidRequest("One of the parameters 'q', 'from' and 'has' has to be there.")
    return search
