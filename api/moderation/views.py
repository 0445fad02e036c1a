"""The REST door of moderators."""

import uuid
from functools import partial

from django.http import HttpResponse
from rest_framework.request import Request

from accounts.views import user_of
from api import errors
from api.clock import now
from api.log.snapshot import snapshot
from api.moderation import bans, filters, mutes, queries, schemas
from api.openapi import PAGED, operation
from api.rest import Endpoint, Query, answer, nothing
from api.rooms.models import Role
from api.rooms.schemas import MemberOut, member_out

REFUSED = [errors.NotFound, errors.PermissionDenied]
WRITE_REFUSED = [*REFUSED, errors.RoomArchived]


class BansView(Endpoint):
    @operation(
        "List who is banned from a room",
        query=PAGED,
        answers={200: schemas.BanList},
        raises=REFUSED,
    )
    def get(self, request: Request, room_id: uuid.UUID) -> HttpResponse:
        query = Query(request, "limit", "cursor")
        with snapshot():
            queries.check_reads(room_id, user_of(request).id, Role.MODERATOR)
            read = partial(queries.bans_after, room_id, at=now())
            found, next_cursor = query.page(read, "user_id")
            items = queries.bans_shown(found)
        return answer(schemas.BanList(items=items, next_cursor=next_cursor))


class BanView(Endpoint):
    @operation(
        "Ban a person from a room",
        body=schemas.BanPerson,
        answers={201: schemas.BanOut, 200: schemas.BanOut},
        raises=WRITE_REFUSED,
    )
    def put(self, request: Request, room_id: uuid.UUID, user_id: uuid.UUID) -> HttpResponse:
        body = self.body(schemas.BanPerson)
        ban, new = bans.ban_person(
            actor_id=user_of(request).id,
            room_id=room_id,
            user_id=user_id,
            until=body.until,
            reason=body.reason,
        )
        return answer(queries.bans_shown([ban])[0], 201 if new else 200)

    @operation("Lift a ban", answers={204: None}, raises=WRITE_REFUSED)
    def delete(self, request: Request, room_id: uuid.UUID, user_id: uuid.UUID) -> HttpResponse:
        bans.lift_ban(actor_id=user_of(request).id, room_id=room_id, user_id=user_id)
        return nothing()


class MutesView(Endpoint):
    @operation(
        "List who is muted in a room",
        query=PAGED,
        answers={200: schemas.MuteList},
        raises=REFUSED,
    )
    def get(self, request: Request, room_id: uuid.UUID) -> HttpResponse:
        query = Query(request, "limit", "cursor")
        with snapshot():
            queries.check_reads(room_id, user_of(request).id, Role.MODERATOR)
            read = partial(queries.mutes_after, room_id, at=now())
            found, next_cursor = query.page(read, "user_id")
            items = queries.mutes_shown(found)
        return answer(schemas.MuteList(items=items, next_cursor=next_cursor))


class MuteView(Endpoint):
    @operation(
        "Mute a member",
        body=schemas.MuteMember,
        answers={200: MemberOut},
        raises=WRITE_REFUSED,
    )
    def put(self, request: Request, room_id: uuid.UUID, user_id: uuid.UUID) -> HttpResponse:
        body = self.body(schemas.MuteMember)
        member = mutes.mute_member(
            actor_id=user_of(request).id, room_id=room_id, user_id=user_id, until=body.until
        )
        return answer(member_out(member, member.user))

    @operation("Lift a mute", answers={204: None}, raises=WRITE_REFUSED)
    def delete(self, request: Request, room_id: uuid.UUID, user_id: uuid.UUID) -> HttpResponse:
        mutes.unmute_member(actor_id=user_of(request).id, room_id=room_id, user_id=user_id)
        return nothing()


class FilterView(Endpoint):
    @operation("Read the word filter of a room", answers={200: schemas.FilterOut}, raises=REFUSED)
    def get(self, request: Request, room_id: uuid.UUID) -> HttpResponse:
        Query(request)  # none
        with snapshot():
            queries.check_reads(room_id, user_of(request).id, Role.ADMIN)
            return answer(queries.filter_shown(room_id))

    @operation(
        "Set the words that are not wanted in a room",
        body=schemas.SetFilter,
        answers={200: schemas.FilterOut},
        raises=WRITE_REFUSED,
    )
    def put(self, request: Request, room_id: uuid.UUID) -> HttpResponse:
        body = self.body(schemas.SetFilter)
        filters.set_filter(
            actor_id=user_of(request).id, room_id=room_id, words=body.words, action=body.action
        )
        return answer(queries.filter_shown(room_id))


class AuditView(Endpoint):
    @operation(
        "List what was done to others and to a room, the newest first",
        query=PAGED,
        answers={200: schemas.AuditList},
        raises=REFUSED,
    )
    def get(self, request: Request, room_id: uuid.UUID) -> HttpResponse:
        query = Query(request, "limit", "cursor")
        with snapshot():
            queries.check_reads(room_id, user_of(request).id, Role.ADMIN)
            items, next_cursor = query.page(partial(queries.audit_of, room_id))
        return answer(schemas.AuditList(items=items, next_cursor=next_cursor))
