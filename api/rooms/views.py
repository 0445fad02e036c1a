"""The REST door of members."""

import uuid
from functools import partial

from django.http import HttpResponse
from rest_framework.request import Request

from accounts.views import user_of
from api import errors
from api.log.snapshot import snapshot
from api.openapi import PAGED, operation
from api.rest import Endpoint, Query, answer, nothing
from api.rooms import members, queries, schemas

REFUSED = [errors.NotFound, errors.PermissionDenied]


class LeaveView(Endpoint):
    @operation(
        "Leave a room; a direct one is hidden",
        answers={204: None},
        raises=[*REFUSED, errors.Conflict],
    )
    def post(self, request: Request, room_id: uuid.UUID) -> HttpResponse:
        members.leave_room(user_id=user_of(request).id, room_id=room_id)
        return nothing()


class MembersView(Endpoint):
    @operation(
        "List the members of a room",
        query=PAGED,
        answers={200: schemas.MemberList},
        raises=REFUSED,
    )
    def get(self, request: Request, room_id: uuid.UUID) -> HttpResponse:
        query = Query(request, "limit", "cursor")
        with snapshot():
            head = queries.head_for_member(room_id, user_of(request).id)
            read = partial(queries.members_after, room_id)
            found, next_cursor = query.page(read, "user_id")
        items = [schemas.member_out(member, member.user) for member in found]
        return answer(schemas.MemberList(items=items, next_cursor=next_cursor, head=head))


class MemberView(Endpoint):
    @operation(
        "Put somebody into a room",
        body=schemas.AddMember,
        answers={201: schemas.MemberOut, 200: schemas.MemberOut},
        raises=[*REFUSED, errors.RoomArchived, errors.Conflict],
    )
    def put(self, request: Request, room_id: uuid.UUID, user_id: uuid.UUID) -> HttpResponse:
        body = self.body(schemas.AddMember)
        member, added = members.add_member(
            actor_id=user_of(request).id,
            room_id=room_id,
            user_id=user_id,
            role=schemas.ROLES[body.role] if body.role else None,
        )
        return answer(schemas.member_out(member, member.user), 201 if added else 200)

    @operation(
        "Give a member another role",
        body=schemas.ChangeMember,
        answers={200: schemas.MemberOut},
        raises=[*REFUSED, errors.RoomArchived, errors.Conflict],
    )
    def patch(self, request: Request, room_id: uuid.UUID, user_id: uuid.UUID) -> HttpResponse:
        body = self.body(schemas.ChangeMember)
        member = members.change_role(
            actor_id=user_of(request).id,
            room_id=room_id,
            user_id=user_id,
            role=schemas.ROLES[body.role],
        )
        return answer(schemas.member_out(member, member.user))

    @operation(
        "Put somebody out of a room",
        body=schemas.RemoveMember,
        answers={204: None},
        raises=[*REFUSED, errors.Conflict],
    )
    def delete(self, request: Request, room_id: uuid.UUID, user_id: uuid.UUID) -> HttpResponse:
        reason = self.body(schemas.RemoveMember).reason
        members.remove_member(
            actor_id=user_of(request).id, room_id=room_id, user_id=user_id, reason=reason
        )
        return nothing()
