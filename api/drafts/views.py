"""The REST door of drafts."""

import uuid

from django.http import HttpResponse
from rest_framework.request import Request

from accounts.views import user_of
from api import errors
from api.drafts import actions, queries, schemas
from api.openapi import operation
from api.rest import Endpoint, Query, answer, nothing

REFUSED = [errors.NotFound, errors.PermissionDenied]


class DraftView(Endpoint):
    @operation("Read one's draft in a room", answers={200: schemas.DraftOut}, raises=REFUSED)
    def get(self, request: Request, room_id: uuid.UUID) -> HttpResponse:
        Query(request)  # none
        return answer(queries.draft_in(room_id, user_of(request).id))

    @operation(
        "Keep a draft",
        body=schemas.KeepDraft,
        answers={200: schemas.DraftOut},
        raises=REFUSED,
    )
    def put(self, request: Request, room_id: uuid.UUID) -> HttpResponse:
        content = self.body(schemas.KeepDraft)
        user_id = user_of(request).id
        return answer(actions.keep_draft(user_id=user_id, room_id=room_id, content=content))

    @operation("Forget a draft", answers={204: None}, raises=REFUSED)
    def delete(self, request: Request, room_id: uuid.UUID) -> HttpResponse:
        actions.drop_draft(user_id=user_of(request).id, room_id=room_id)
        return nothing()
