"""Whom one may look up: people one shares a room with, or knows the exact username of."""

import uuid
from collections.abc import Collection

from django.db.models import Exists, OuterRef, Q, QuerySet

from accounts.models import User
from accounts.usernames import normalized
from api.errors import NotFound
from api.folding import containing
from api.rooms.models import Member


def people_matching(
    viewer_id: uuid.UUID, text: str | None, after: uuid.UUID | None, limit: int
) -> list[User]:
    """Return people by a part of their names, or one by the exact username."""
    found = User.objects.filter(_known_to(viewer_id), erased_at=None)
    if text:
        part = Q(containing("username", text)) | Q(containing("display_name", text))
        exact = Q(username=normalized(text), erased_at=None)
        found = User.objects.filter((part & _known_to(viewer_id)) | exact)
    if after is not None:
        found = found.filter(pk__gt=after)
    return list(found.order_by("pk")[:limit])


def people_by_id(viewer_id: uuid.UUID, ids: Collection[uuid.UUID]) -> QuerySet[User]:
    """Return those of these people whom the viewer may look up."""
    return User.objects.filter(_known_to(viewer_id), pk__in=ids).order_by("pk")


def person_known_to(viewer_id: uuid.UUID, user_id: uuid.UUID) -> User:
    """Return one person.

    Raises:
        NotFound: nobody of that id whom the viewer may look up.
    """
    user = people_by_id(viewer_id, [user_id]).first()
    if user is None:
        raise NotFound
    return user


def _known_to(viewer_id: uuid.UUID) -> Q:
    mine = Member.objects.filter(user_id=viewer_id).values("room_id")
    shared = Member.objects.filter(user_id=OuterRef("pk"), room_id__in=mine)
    return Q(pk=viewer_id) | Q(Exists(shared))
