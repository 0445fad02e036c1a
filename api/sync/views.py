"""The REST door to one's own view: rooms as one sees them, read markers, everything at once."""

import uuid
from functools import partial

from django.http import HttpResponse
from rest_framework.request import Request

from accounts.views import user_of
from api import errors
from api.idempotency import once
from api.invitations.invites import accept_invite
from api.log.snapshot import snapshot
from api.openapi import CURSOR, limit, operation, parameter
from api.rest import Endpoint, Query, answer, nothing
from api.rooms import actions as rooms
from api.rooms import members, preferences
from api.rooms.schemas import CreateRoom, OpenDirect, Preferences, UpdatePreferences, UpdateRoom
from api.sync import actions, queries, schemas

REFUSED = [errors.NotFound, errors.PermissionDenied]


def _room(room_id: uuid.UUID, user_id: uuid.UUID) -> schemas.RoomOut:
    with snapshot():
        return queries.room_seen_by(room_id, user_id)


class SyncView(Endpoint):
    @operation("Everything at once, in one snapshot", answers={200: schemas.Sync})
    def get(self, request: Request) -> HttpResponse:
        Query(request)  # none
        with snapshot():
            return answer(queries.sync(user_of(request).id))


class RoomsView(Endpoint):
    @operation(
        "List one's rooms, or those that one may join",
        query=[
            parameter("scope", "`public`: those that one may join.", enum=["mine", "public"]),
            parameter("q", "A part of the name or the topic; with `scope=public`."),
            limit(),
            CURSOR,
        ],
        answers={200: schemas.RoomList},
    )
    def get(self, request: Request) -> HttpResponse:
        query = Query(request, "scope", "q", "limit", "cursor")
        scope, text = query.choice("scope", "mine", "public"), query.text("q")
        user_id = user_of(request).id
        if text is not None and scope != "public":
            raise errors.InvalidRequest("The parameter 'q' goes with scope=public.")
        with snapshot():
            if scope == "public":
                items, next_cursor = query.page(partial(queries.open_rooms, user_id, text))
            else:
                items, next_cursor = query.page(partial(queries.rooms_of, user_id))
        return answer(schemas.RoomList(items=items, next_cursor=next_cursor))

    @operation(
        "Make a room",
        body=CreateRoom,
        answers={201: schemas.RoomOut},
        raises=[*REFUSED, errors.IdempotencyConflict, errors.StillRunning],
    )
    def post(self, request: Request) -> HttpResponse:
        user_id = user_of(request).id

        def create() -> HttpResponse:
            room = rooms.create_room(creator_id=user_id, content=self.body(CreateRoom))
            return answer(queries.room_seen_by(room.id, user_id), 201)

        return once(request, user_id, create)


class DirectView(Endpoint):
    @operation(
        "Find or make the one room of these people",
        body=OpenDirect,
        answers={201: schemas.RoomOut, 200: schemas.RoomOut},
        raises=[*REFUSED, errors.IdempotencyConflict, errors.StillRunning],
    )
    def post(self, request: Request) -> HttpResponse:
        user_id = user_of(request).id

        def find_or_make() -> HttpResponse:
            body = self.body(OpenDirect)
            room, made = rooms.open_direct_room(creator_id=user_id, user_ids=body.user_ids)
            return answer(queries.room_seen_by(room.id, user_id), 201 if made else 200)

        return once(request, user_id, find_or_make)


class RoomView(Endpoint):
    @operation("Read a room", answers={200: schemas.RoomOut}, raises=[errors.NotFound])
    def get(self, request: Request, room_id: uuid.UUID) -> HttpResponse:
        Query(request)  # none
        return answer(_room(room_id, user_of(request).id))

    @operation(
        "Change a room",
        body=UpdateRoom,
        answers={200: schemas.RoomOut},
        raises=[*REFUSED, errors.RoomArchived, errors.NotSupported],
    )
    def patch(self, request: Request, room_id: uuid.UUID) -> HttpResponse:
        user_id = user_of(request).id
        rooms.update_room(actor_id=user_id, room_id=room_id, changes=self.body(UpdateRoom))
        return answer(_room(room_id, user_id))

    @operation("Delete a room", answers={204: None}, raises=REFUSED)
    def delete(self, request: Request, room_id: uuid.UUID) -> HttpResponse:
        rooms.delete_room(actor_id=user_of(request).id, room_id=room_id)
        return nothing()


class JoinView(Endpoint):
    @operation(
        "Join a public room",
        answers={200: schemas.RoomOut},
        raises=[*REFUSED, errors.RoomArchived],
    )
    def post(self, request: Request, room_id: uuid.UUID) -> HttpResponse:
        user_id = user_of(request).id
        members.join_room(user_id=user_id, room_id=room_id)
        return answer(_room(room_id, user_id))


class AcceptInviteView(Endpoint):
    @operation(
        "Take up an invitation",
        answers={200: schemas.RoomOut},
        raises=[*REFUSED, errors.RoomArchived],
    )
    def post(self, request: Request, code: str) -> HttpResponse:
        user_id = user_of(request).id
        return answer(_room(accept_invite(user_id=user_id, code=code), user_id))


class PreferencesView(Endpoint):
    @operation(
        "Change one's own settings for a room",
        body=UpdatePreferences,
        answers={200: Preferences},
        raises=REFUSED,
    )
    def patch(self, request: Request, room_id: uuid.UUID) -> HttpResponse:
        user_id = user_of(request).id
        changes = self.body(UpdatePreferences)
        preferences.change_preferences(user_id=user_id, room_id=room_id, changes=changes)
        return answer(_room(room_id, user_id).preferences)


class ReadView(Endpoint):
    @operation(
        "Note how far one has read",
        body=schemas.Read,
        answers={200: schemas.Counts},
        raises=REFUSED,
    )
    def put(self, request: Request, room_id: uuid.UUID) -> HttpResponse:
        body = self.body(schemas.Read)
        counts = actions.mark_read(
            user_id=user_of(request).id,
            room_id=room_id,
            seq=body.seq,
            backward=body.backward,
        )
        return answer(counts)


class ReadManyView(Endpoint):
    @operation(
        "Note how far one has read in several rooms",
        body=schemas.ReadMany,
        answers={200: schemas.CountsList},
        raises=REFUSED,
    )
    def put(self, request: Request) -> HttpResponse:
        body = self.body(schemas.ReadMany)
        counts = actions.mark_many_read(user_id=user_of(request).id, seqs=body.rooms)
        return answer(schemas.CountsList(items=counts))
