"""Writes of word filters. No event tells of one: not everybody may see the words."""

import uuid
from collections.abc import Sequence

from api.audit.actions import record, without_event
from api.errors import InvalidRequest
from api.log.append import lock, writing
from api.moderation.schemas import FilterAction
from api.rooms import permissions, queries
from api.rooms.models import Filter, Role, Room
from api.rooms.wording import spelling


def set_filter(
    *, actor_id: uuid.UUID, room_id: uuid.UUID, words: Sequence[str], action: FilterAction
) -> Filter:
    """Have these words refused or hidden in what is written from now on; no words, no filter.

    Raises:
        InvalidRequest: one of the words is blank; at ``/words/…``.
        NotFound, PermissionDenied: as ``queries.member_in``, or too low a role.
        RoomArchived: nothing changes in it.
    """
    for place, word in enumerate(words):
        if not spelling(word).strip():
            raise InvalidRequest.at(f"/words/{place}", "There is nothing to see in it.")
    wanted = list(dict.fromkeys(word.strip() for word in words))
    with writing():
        head = lock(room_id)
        actor = queries.member_in(room_id, actor_id)
        permissions.check_not_direct(actor.room)
        permissions.check_at_least(actor, Role.ADMIN)
        present = Filter.objects.filter(pk=room_id).first() or Filter(room_id=room_id)
        if (present.words, present.action) == (wanted, action):
            return present
        permissions.check_not_archived(actor.room)
        present.words, present.action = wanted, action
        present.version += 1
        present.save()
        Room.objects.filter(pk=room_id).update(filter_version=present.version if wanted else 0)
        done = without_event(room_id, "filter.updated", actor_id, head=head)
        record(done, details={"action": action, "words": len(wanted)})
    return present
