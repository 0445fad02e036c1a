"""The REST door of invitations and of requests to join."""

import uuid
from functools import partial

from django.http import HttpResponse
from rest_framework.request import Request

from accounts.views import user_of
from api import errors
from api.idempotency import once
from api.invitations import invites, queries, requests, schemas
from api.openapi import PAGED, operation
from api.rest import Endpoint, Query, answer, nothing
from api.rooms.schemas import MemberOut, member_out

REFUSED = [errors.NotFound, errors.PermissionDenied]
TAKES_NOBODY = [*REFUSED, errors.RoomArchived]
REPEATED = [errors.IdempotencyConflict, errors.StillRunning]


class InvitesView(Endpoint):
    @operation(
        "List the invitations of a room; who is no moderator sees their own",
        query=PAGED,
        answers={200: schemas.InviteList},
        raises=REFUSED,
    )
    def get(self, request: Request, room_id: uuid.UUID) -> HttpResponse:
        query = Query(request, "limit", "cursor")
        read = partial(queries.invites_before, room_id, user_of(request).id)
        page, next_cursor = query.page(read)
        items = [schemas.invite_out(invite) for invite in page]
        return answer(schemas.InviteList(items=items, next_cursor=next_cursor))

    @operation(
        "Make an invitation: a link, or for one person",
        body=schemas.CreateInvite,
        answers={201: schemas.InviteOut, 200: schemas.InviteOut},
        raises=[*TAKES_NOBODY, errors.Conflict, errors.LimitReached, *REPEATED],
    )
    def post(self, request: Request, room_id: uuid.UUID) -> HttpResponse:
        actor_id = user_of(request).id

        def create() -> HttpResponse:
            content = self.body(schemas.CreateInvite)
            invite, new = invites.create_invite(actor_id=actor_id, room_id=room_id, content=content)
            return answer(schemas.invite_out(invite), 201 if new else 200)

        return once(request, actor_id, create)


class InviteView(Endpoint):
    @operation("Read an invitation", answers={200: schemas.InviteOut}, raises=REFUSED)
    def get(self, request: Request, room_id: uuid.UUID, code: str) -> HttpResponse:
        Query(request)  # none
        return answer(schemas.invite_out(queries.invite_for(room_id, user_of(request).id, code)))

    @operation("Revoke an invitation", answers={204: None}, raises=REFUSED)
    def delete(self, request: Request, room_id: uuid.UUID, code: str) -> HttpResponse:
        invites.revoke_invite(actor_id=user_of(request).id, room_id=room_id, code=code)
        return nothing()


class RequestsView(Endpoint):
    @operation(
        "List who asks to be let in",
        query=PAGED,
        answers={200: schemas.JoinRequestList},
        raises=REFUSED,
    )
    def get(self, request: Request, room_id: uuid.UUID) -> HttpResponse:
        query = Query(request, "limit", "cursor")
        read = partial(queries.requests_after, room_id, user_of(request).id)
        page, next_cursor = query.page(read)
        items = [schemas.request_out(asked) for asked in page]
        return answer(schemas.JoinRequestList(items=items, next_cursor=next_cursor))

    @operation(
        "Ask to be let into a public room",
        body=schemas.AskToJoin,
        answers={201: schemas.JoinRequestOut, 200: schemas.JoinRequestOut},
        raises=[*TAKES_NOBODY, errors.Conflict, *REPEATED],
    )
    def post(self, request: Request, room_id: uuid.UUID) -> HttpResponse:
        user_id = user_of(request).id

        def ask() -> HttpResponse:
            text = self.body(schemas.AskToJoin).text
            asked, new = requests.ask_to_join(user_id=user_id, room_id=room_id, text=text)
            return answer(schemas.request_out(asked), 201 if new else 200)

        return once(request, user_id, ask)


class RequestView(Endpoint):
    @operation("Let somebody in who has asked", answers={200: MemberOut}, raises=TAKES_NOBODY)
    def put(self, request: Request, room_id: uuid.UUID, user_id: uuid.UUID) -> HttpResponse:
        actor_id = user_of(request).id
        member = requests.approve_request(actor_id=actor_id, room_id=room_id, user_id=user_id)
        return answer(member_out(member, member.user))

    @operation(
        "Refuse somebody who has asked, or withdraw what one has asked",
        answers={204: None},
        raises=REFUSED,
    )
    def delete(self, request: Request, room_id: uuid.UUID, user_id: uuid.UUID) -> HttpResponse:
        actor_id = user_of(request).id
        requests.end_request(actor_id=actor_id, room_id=room_id, user_id=user_id)
        return nothing()
