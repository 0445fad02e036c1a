"""The account's part of an erasure: gone at once; what else there is of the person follows."""

import uuid
from collections.abc import Collection

from django.db.models import Q

from accounts import attempts, passwords, sessions
from accounts.models import Erasure, Presence, Session, User
from api.clock import now
from api.errors import InvalidCredentials
from api.log.append import writing
from api.uploads import using


def confirm(*, user_id: uuid.UUID, password: str) -> None:
    """Check that it is the person who wants to be erased.

    Raises:
        InvalidCredentials: it is not their password.
        RateLimited: too many attempts were wrong.
    """
    user = User.objects.get(pk=user_id)
    with attempts.confirming(user):
        if not passwords.matches(password, user):
            raise InvalidCredentials("The password is wrong.")


def erase_account(*, user_id: uuid.UUID) -> None:
    """End every session, then forget names, password, devices; id and version stay.

    The name may be taken by somebody else. ``models.Erasure`` says that more is to be done.
    """
    with writing():
        sessions.hold(user_id)
        user = User.objects.select_for_update().get(pk=user_id)
        if user.erased_at is not None:
            return
        sessions.revoke(user_id=user_id, session_ids=sessions.living(user_id))
        Presence.objects.filter(user_id=user_id).delete()
        Session.objects.filter(user_id=user_id).update(device="", address="")
        unsaid = Q(used_by_id=None) | Q(used_by_kind__in=("later", "due"))
        mine = Q(used_by_id=user_id) | Q(unsaid, owner_id=user_id)
        using.release(mine, now())
        user.avatar = None
        user.username = user.skeleton = user.display_name = user.import_key = None
        user.set_unusable_password()
        user.version += 1
        user.erased_at = now()
        user.save()
        Erasure.objects.create(user=user)


def none_is_erased(ids: Collection[uuid.UUID]) -> bool:
    """Tell that none of these people is erased, and none will be until the transaction ends.

    To be asked when all streams are locked (docs/decisions/0006): who is being erased may have
    been there when the transaction began.
    """
    here = User.objects.select_for_update(no_key=True).filter(pk__in=ids, erased_at=None)
    return len(here.order_by("pk").values_list("pk")) == len(set(ids))
