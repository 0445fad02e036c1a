"""The REST door of blocks."""

import uuid
from functools import partial

from django.http import HttpResponse
from rest_framework.request import Request

from accounts.views import user_of
from api import errors
from api.blocks import actions, queries, schemas
from api.openapi import PAGED, operation
from api.rest import Endpoint, Query, answer, nothing


class BlocksView(Endpoint):
    @operation(
        "List whom one has blocked",
        query=PAGED,
        answers={200: schemas.BlockList},
    )
    def get(self, request: Request) -> HttpResponse:
        query = Query(request, "limit", "cursor")
        read = partial(queries.blocks_of, user_of(request).id)
        found, next_cursor = query.page(read, "blocked_id")
        items = [schemas.block_out(block) for block in found]
        return answer(schemas.BlockList(items=items, next_cursor=next_cursor))


class BlockView(Endpoint):
    @operation(
        "Block a person",
        answers={201: schemas.BlockOut, 200: schemas.BlockOut},
        raises=[errors.NotFound, errors.LimitReached],
    )
    def put(self, request: Request, user_id: uuid.UUID) -> HttpResponse:
        block, new = actions.block_user(blocker_id=user_of(request).id, blocked_id=user_id)
        return answer(schemas.block_out(block), 201 if new else 200)

    @operation("Unblock a person", answers={204: None}, raises=[errors.NotFound])
    def delete(self, request: Request, user_id: uuid.UUID) -> HttpResponse:
        actions.unblock_user(blocker_id=user_of(request).id, blocked_id=user_id)
        return nothing()
