"""Erasing a person: the account at once, then room by room what they said, then their traces.

Each step is a transaction of its own that finds what is left, so that an erasure which was cut
off goes on where it ended (``finish_erasures``, run by the upkeep).
"""

import uuid
from collections.abc import Callable, Iterable
from datetime import datetime
from functools import partial
from typing import Any, NamedTuple

from django.db.models import Q

from accounts.erasure import confirm, erase_account
from accounts.models import Erasure
from api.apart import each_apart
from api.audit.actions import record
from api.blocks.models import Block
from api.clock import now
from api.codec import Payload, plain
from api.drafts.models import Draft
from api.idempotency import IdempotencyKey
from api.inbox.models import Notification
from api.invitations.models import Invite
from api.log.append import Entry, append, lock, writing
from api.messages.actions import bury
from api.messages.models import Message
from api.messages.schemas import MessagesDeleted
from api.moderation.models import Report
from api.rooms import membership
from api.rooms.models import Former, JoinRequest, Kind, Member, Role, Room
from api.rooms.schemas import member_out, room_fact
from api.scheduled.models import ScheduledMessage

RANGES_MAX = 5_000  # in one event: it has to fit a frame

Ranges = list[tuple[int, int]]


class _Parting(NamedTuple):
    """What is recorded when the person goes, what is shown of it, and what is kept then."""

    entries: list[Entry]
    shown: list[Payload]  # of the first entries
    settle: list[Callable[[], object]]
    heir: dict[str, Any] = {}  # what the audit is told of the first entry


def erase_me(*, user_id: uuid.UUID, password: str) -> None:
    """Erase whoever asks for it, after their password.

    Raises:
        InvalidCredentials, RateLimited: as ``accounts.erasure.confirm``.
    """
    confirm(user_id=user_id, password=password)
    erase_user(user_id=user_id)


def erase_user(*, user_id: uuid.UUID) -> None:
    """Erase a person: sessions first, then what they said; ids and versions stay."""
    erase_account(user_id=user_id)
    finish(user_id)


def finish_erasures(_: datetime) -> None:
    """Go on with what was cut off."""
    each_apart(list(Erasure.objects.values_list("pk", flat=True)), finish)


def finish(user_id: uuid.UUID) -> None:
    """Take away all that is left of somebody whose account is gone."""
    living = Message.objects.filter(sender_id=user_id, deleted_at=None).order_by()
    rooms = {*living.values_list("room_id", flat=True).distinct()}
    rooms |= {*Member.objects.filter(user_id=user_id).values_list("room_id", flat=True)}
    for room_id in rooms:
        _withdraw(user_id, room_id)
    Notification.objects.filter(user_id=user_id).delete()
    Draft.objects.filter(user_id=user_id).delete()
    ScheduledMessage.objects.filter(sender_id=user_id).delete()
    JoinRequest.objects.filter(user_id=user_id).delete()
    Former.objects.filter(user_id=user_id).delete()
    Invite.objects.filter(Q(invited_id=user_id) | Q(creator_id=user_id)).delete()
    Block.objects.filter(blocker_id=user_id).delete()
    Report.objects.filter(reporter_id=user_id).update(reason="")
    told = Q(body__contains=str(user_id))  # an answer that somebody else may ask for again
    IdempotencyKey.objects.filter(Q(user_id=user_id) | told).delete()
    Erasure.objects.filter(pk=user_id).delete()


def _withdraw(user_id: uuid.UUID, room_id: uuid.UUID) -> None:
    """Bury what the person said in a room, and have them leave it, in one transaction."""
    with writing():
        head, moment = lock(room_id), now()
        room = Room.objects.get(pk=room_id)
        said = Message.objects.filter(room=room, sender_id=user_id, deleted_at=None)
        if room.deleted_at is not None:  # its stream takes nothing more, and nobody reads it
            bury(room_id, said, moment, head)
            return
        deletions = _deletions(room_id, user_id, said.order_by("seq").values_list("seq", flat=True))
        parting = _parting(room, user_id, head + len(deletions))
        if not deletions and not parting.entries:
            return
        events = append([*(entry for _, entry in deletions), *parting.entries], at=moment)
        for (ranges, _), event in zip(deletions, events, strict=False):
            within = said.filter(seq__gte=ranges[0][0], seq__lte=ranges[-1][1])
            bury(room_id, within, moment, event.seq)
        parted = events[len(deletions) :]
        for shown, event in zip(parting.shown, parted, strict=False):
            event.show(shown)
        if parting.heir:
            record(parted[0], **parting.heir)
        for act in parting.settle:
            act()


def _deletions(
    room_id: uuid.UUID, user_id: uuid.UUID, numbers: Iterable[int]
) -> list[tuple[Ranges, Entry]]:
    """Return what is recorded of messages that go: one event, unless it would be too big."""
    ranges: Ranges = []
    for seq in numbers:
        if ranges and ranges[-1][1] == seq - 1:
            ranges[-1] = (ranges[-1][0], seq)
        else:
            ranges.append((seq, seq))
    pieces = [ranges[start : start + RANGES_MAX] for start in range(0, len(ranges), RANGES_MAX)]
    deletions = []
    for piece in pieces:
        count = sum(last - first + 1 for first, last in piece)
        data = plain(MessagesDeleted(ranges=piece, count=count))
        deletions.append((piece, Entry(room_id, "messages.deleted", user_id, data=data)))
    return deletions


def _parting(room: Room, user_id: uuid.UUID, head: int) -> _Parting:
    """Return how the person goes; ``head`` is the number before that.

    A direct room keeps its people: they only cease to write, and to be told. The last owner's
    place goes to the highest and longest-serving of the others, before any who are kept out; with
    nobody left, the room ends.
    """
    members = Member.objects.filter(room=room).select_related("room", "user")
    member = members.filter(user_id=user_id).first()
    if member is None:
        return _Parting([], [], [])
    if room.kind == Kind.DIRECT:
        return _with_role(member, Role.READER, user_id, notification_level="none")
    others = members.exclude(user_id=user_id)
    by_rank = others.order_by("-role", "joined_at", "user_id")
    heir = by_rank.filter(user__disabled_at=None).first() or by_rank.first()
    if heir is None:
        entries = membership.closure(room, actor_id=user_id, seq=head + 1)
        return _Parting(entries, [room_fact(room)], [partial(membership.close, room, now())])
    entries, shown, settle, told = _Parting([], [], [])
    if member.role == Role.OWNER and heir.role != Role.OWNER:
        told = {"user_id": heir.user_id, "details": {"from": Role(heir.role).wire, "to": "owner"}}
        entries, shown, settle, _ = _with_role(heir, Role.OWNER, user_id)
    departure = membership.departure(member, "left", actor_id=user_id, seq=head + len(entries) + 1)
    gone = member_out(member, member.user, gone=True)
    return _Parting(
        [*entries, *departure],
        [*shown, gone],
        [*settle, partial(membership.unsettle, member)],
        told,
    )


def _with_role(member: Member, role: Role, actor_id: uuid.UUID, **more: str) -> _Parting:
    if member.role == role:
        return _Parting([], [], [])
    member.role = role
    entry = membership.role_change(member, actor_id=actor_id)
    held = Member.objects.filter(room_id=member.room_id, user_id=member.user_id)
    settle = partial(held.update, role=role, **more)
    return _Parting([entry], [member_out(member, member.user)], [settle])
