"""The REST door to who is here: the people of a room, and how one wants to be seen oneself."""

import uuid

from django.http import HttpResponse
from rest_framework.request import Request

from accounts import presence
from accounts.schemas import ChoosePresence, PresenceChoice
from accounts.views import user_of
from api import access, errors
from api.openapi import operation
from api.rest import Endpoint, Query, answer
from realtime import here
from realtime.attendance import Status
from realtime.moments import RoomPresence, shown
from realtime.watching import ITEMS_MAX


class RoomPresenceView(Endpoint):
    @operation(
        "Read who of a room's members is here, and when the others were seen",
        answers={200: RoomPresence},
        raises=[errors.NotFound, errors.PermissionDenied],
    )
    def get(self, request: Request, room_id: uuid.UUID) -> HttpResponse:
        Query(request)  # none
        people = access.people_for_member(room_id, user_of(request).id, at_most=ITEMS_MAX)
        if people is None:
            return answer(RoomPresence(items=[], count=access.count_among(room_id, _present())))
        statuses = {user: _status(user) for user in sorted(people)}
        count = len([status for status in statuses.values() if status is not None])
        seen = presence.seen(statuses)
        items = [shown(seen[user], status) for user, status in statuses.items()]
        return answer(RoomPresence(items=items, count=count))


class MyPresenceView(Endpoint):
    @operation("Read how one is seen", answers={200: PresenceChoice})
    def get(self, request: Request) -> HttpResponse:
        Query(request)  # none
        return answer(presence.choice_of(user_of(request).id))

    @operation("Choose how one is seen", body=ChoosePresence, answers={200: PresenceChoice})
    def put(self, request: Request) -> HttpResponse:
        body = self.body(ChoosePresence)
        return answer(presence.choose(user_id=user_of(request).id, wanted=body))


def _status(user: uuid.UUID) -> Status | None:
    running = here.running()
    return running.presence.status(str(user)) if running else None


def _present() -> list[uuid.UUID]:
    running = here.running()
    return [uuid.UUID(user) for user in running.presence.present()] if running else []
