"""Writes of accounts: who may come in, and what they are called."""

import uuid

import msgspec
from django.conf import settings
from django.db import IntegrityError

from accounts import attempts, passwords, queries, sessions, usernames
from accounts.models import User
from accounts.schemas import UpdateMe, me
from api.clock import now
from api.errors import (
    InvalidCredentials,
    InvalidRequest,
    PermissionDenied,
    SessionRevoked,
    UsernameTaken,
)
from api.log.append import Entry, append, writing
from api.uploads import using
from api.uploads.schemas import UsedBy, avatar_id


def register(
    *, username: str, password: str, display_name: str | None, device: str, address: str
) -> sessions.SignIn:
    """Make an account and sign it in.

    Raises:
        PermissionDenied: registration is closed.
        RateLimited: too many accounts are made from this address.
        InvalidRequest: a name or the password is not acceptable.
        UsernameTaken: somebody has this name, or one that looks like it.
    """
    if not settings.REGISTRATION_OPEN:
        raise PermissionDenied("Registration is closed.")
    name = usernames.checked(username)
    _check_name(display_name)
    attempts.registering(address)
    user = new_user(
        username=name,
        display_name=display_name or username,
        password_hash=passwords.hashed(password, "/password"),
    )
    try:
        with writing():
            user.save(force_insert=True)
            return sessions.begin(user, device=device, address=address)
    except IntegrityError:
        raise UsernameTaken from None


def _check_name(name: object) -> None:
    if isinstance(name, str) and not name.strip():
        raise InvalidRequest.at("/display_name", "A name cannot be blank.")


def new_user(*, username: str, display_name: str, password_hash: str) -> User:
    """Return an unsaved user under a name that has been checked."""
    return User(
        username=username,
        skeleton=usernames.skeleton(username),
        display_name=display_name,
        password=password_hash,
    )


def login(*, username: str, password: str, device: str, address: str) -> sessions.SignIn:
    """Sign in.

    Raises:
        InvalidCredentials: unknown, disabled or wrong; which one is not said.
        RateLimited: too many attempts were wrong.
    """
    name = usernames.normalized(username)
    with attempts.signing_in(name, address):
        user = queries.user_named(name)
        if not passwords.matches(password, user) or user is None:
            raise InvalidCredentials
    with writing():
        sessions.hold(user.pk)  # before the person's row, as every other action
        present = User.objects.select_for_update().get(pk=user.pk)
        if present.password != user.password or not present.enabled:
            raise InvalidCredentials  # changed while it was being checked
        found = sessions.begin(present, device=device, address=address)
        sessions.end_surplus(user_id=present.pk)
        return found


def change_password(*, user_id: uuid.UUID, session_id: uuid.UUID, current: str, new: str) -> None:
    """Change the password and end every other session.

    Raises:
        InvalidCredentials: ``current`` is not the password.
        RateLimited: too many attempts were wrong.
        InvalidRequest: ``new`` is not acceptable.
    """
    user = User.objects.get(pk=user_id)
    with attempts.confirming(user):
        if not passwords.matches(current, user):
            raise InvalidCredentials("The current password is wrong.")
    password_hash = passwords.hashed(new, "/new_password")
    with writing():
        sessions.hold(user_id)
        User.objects.filter(pk=user_id).update(password=password_hash)
        others = [found for found in sessions.living(user_id) if found != session_id]
        sessions.revoke(user_id=user_id, session_ids=others)


def set_password(*, user_id: uuid.UUID, password: str) -> None:
    """Give a person another password, and end every session; wrong guesses are forgotten.

    Raises:
        InvalidRequest: it is not acceptable.
    """
    password_hash = passwords.hashed(password, "/password")
    with writing():
        sessions.hold(user_id)
        User.objects.filter(pk=user_id).update(password=password_hash)
        sessions.revoke(user_id=user_id, session_ids=sessions.living(user_id))


def disable_user(*, user_id: uuid.UUID) -> None:
    """Keep a person out: no request, no socket, no new session."""
    with writing():
        sessions.hold(user_id)
        User.objects.filter(pk=user_id, disabled_at=None).update(disabled_at=now())
        sessions.revoke(user_id=user_id, session_ids=sessions.living(user_id))


def enable_user(*, user_id: uuid.UUID) -> None:
    """Let a person sign in again; what was ended stays ended."""
    with writing():
        sessions.hold(user_id)
        User.objects.filter(pk=user_id).update(disabled_at=None)


def set_staff(*, user_id: uuid.UUID, staff: bool) -> None:
    """Let somebody speak for the service, or no longer."""
    with writing():
        sessions.hold(user_id)
        User.objects.filter(pk=user_id).update(is_staff=staff)


def update_profile(*, user_id: uuid.UUID, changes: UpdateMe) -> User:
    """Change how a person is shown, everywhere and at once, or what they show.

    Raises:
        InvalidRequest: the name is blank, or the avatar is no unused image of theirs.
        SessionRevoked: they have been erased meanwhile.
    """
    name, avatar = changes.display_name, changes.avatar_id
    _check_name(name)
    with writing():
        sessions.hold(user_id)
        user = User.objects.get(pk=user_id)
        if user.erased_at is not None:
            raise SessionRevoked
        wanted = {"display_name": name, "hide_receipts": changes.hide_receipts}
        changed = [
            field
            for field, value in wanted.items()
            if value is not msgspec.UNSET and value != getattr(user, field)
        ]
        for field in changed:
            setattr(user, field, wanted[field])
        if avatar is not msgspec.UNSET and avatar != avatar_id(user.avatar):
            _change_avatar(user, avatar)
            changed.append("avatar")
        if not changed:
            return user
        user.version += 1
        user.save(update_fields=[*changed, "version"])
        (event,) = append([Entry(user_id, "me.updated", user_id, subject=("profile", user_id))])
        event.show(me(user))
        return user


def _change_avatar(user: User, wanted: uuid.UUID | None) -> None:
    user.avatar = using.change_avatar(
        owner_id=user.id,
        present=user.avatar,
        avatar_id=wanted,
        by=UsedBy("person", user.id, None),
        moment=now(),
    )
