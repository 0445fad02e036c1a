"""The REST door to people."""

import uuid
from functools import partial

from django.http import HttpResponse
from rest_framework.request import Request

from accounts.schemas import DeleteMe, Profile, profile
from accounts.views import user_of
from api import errors
from api.openapi import CURSOR, limit, operation, parameter
from api.people import erasure, queries
from api.people.schemas import People
from api.rest import Endpoint, Query, answer, nothing


class DeleteMeView(Endpoint):
    @operation(
        "Erase the account: every session ends, every message becomes a tombstone",
        body=DeleteMe,
        answers={204: None},
        raises=[errors.InvalidCredentials],
    )
    def post(self, request: Request) -> HttpResponse:
        erasure.erase_me(user_id=user_of(request).id, password=self.body(DeleteMe).password)
        return nothing()


class PeopleView(Endpoint):
    @operation(
        "Find people one shares a room with, or by exact username",
        query=[
            parameter("q", "A part of a name, or an exact username."),
            parameter("ids", "These people only; comma-separated, at most 100."),
            limit(),
            CURSOR,
        ],
        answers={200: People},
    )
    def get(self, request: Request) -> HttpResponse:
        query = Query(request, "q", "ids", "limit", "cursor")
        viewer_id, text, ids = user_of(request).id, query.text("q"), query.ids()
        if ids is None:
            found, next_cursor = query.page(partial(queries.people_matching, viewer_id, text))
        elif text is None and query.cursor() is None:
            found, next_cursor = list(queries.people_by_id(viewer_id, ids)), None
        else:
            raise errors.InvalidRequest("The parameter 'ids' goes without 'q' and 'cursor'.")
        items = [profile(user) for user in found]
        return answer(People(items=items, next_cursor=next_cursor))


class PersonView(Endpoint):
    @operation("Read a profile", answers={200: Profile}, raises=[errors.NotFound])
    def get(self, request: Request, user_id: uuid.UUID) -> HttpResponse:
        Query(request)  # none
        return answer(profile(queries.person_known_to(user_of(request).id, user_id)))
