"""Sessions: how they begin, go on by the refresh rule of contract §2, and end.

The replaced refresh token answers with the same successor until that successor, or an access
token issued with it, is first used, and for REPEAT_SECONDS at least. After that its use ends
the session: somebody has a copy.
"""

import hmac
import uuid
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from django.conf import settings

from accounts import queries, tokens
from accounts.models import RefreshToken, Session, User
from accounts.schemas import SessionsRevoked
from api import allowance
from api.clock import now
from api.codec import plain
from api.errors import (
    InvalidToken,
    NotFound,
    RefreshReused,
    SessionRevoked,
    TokenExpired,
    Unavailable,
)
from api.log.append import Entry, append, lock, writing

SESSIONS_MAX = 20  # of one person; the one that was not used for longest ends
REPEAT_SECONDS = 10  # a replaced refresh token answers again for so long at least


class SignIn(NamedTuple):
    """A session with the tokens that were just issued for it; durations in seconds."""

    session: Session
    access: str
    expires_in: int
    refresh: str
    refresh_expires_in: int


def begin(user: User, *, device: str, address: str) -> SignIn:
    """Make a session within the caller's transaction."""
    moment = now()
    limit = settings.LIMITS.session_seconds
    ends_at = moment + timedelta(seconds=limit) if limit else None
    session = Session.objects.create(
        user=user,
        device=device,
        address=address,
        created_at=moment,
        last_used_at=moment,
        ends_at=ends_at,
        expires_at=_expiry(moment, ends_at),
    )
    token = tokens.first_refresh(session.id)
    _keep(token)
    return _signed_in(session, token)


def end_surplus(*, user_id: uuid.UUID) -> None:
    """End the sessions used longest ago that are too many, within the caller's transaction."""
    revoke(user_id=user_id, session_ids=living(user_id)[SESSIONS_MAX:])


def refresh(*, token: str, address: str) -> SignIn:
    """Exchange a refresh token for its successor, by the rule of contract §2.

    Raises:
        InvalidToken: no session of ours has, or had, this token.
        SessionRevoked: the session has ended.
        TokenExpired: the session's time has run out.
        RefreshReused: it was used after its successor; the session is ended.
        RateLimited: it is used too often.
    """
    given = tokens.parsed_refresh(token)
    session = _session_of(given)
    allowance.check(allowance.take("refreshes", session.pk))
    _check_living(session)  # what has ended needs no lock to be told so
    with writing():
        session = _locked(session, given)
        if given.generation == session.generation:
            answer = _rotate(session, given, address)
        elif _may_repeat(session, given):
            answer = _signed_in(session, _given_again(session, given))
        else:
            answer = None
            revoke(user_id=session.user_id, session_ids=[session.id])
    if answer is None:
        raise RefreshReused
    return answer


def logout(*, user_id: uuid.UUID, session_id: uuid.UUID) -> None:
    """End one of a person's sessions, if it has not ended yet."""
    with writing():
        hold(user_id)
        revoke(user_id=user_id, session_ids=[session_id])


def logout_by_refresh(*, token: str) -> None:
    """End the session that a refresh token belongs to, if it has not ended yet.

    Raises:
        InvalidToken: no session of ours has, or had, this token.
        RateLimited: it is used too often.
    """
    session = _session_of(tokens.parsed_refresh(token))
    allowance.check(allowance.take("logouts", session.pk))
    if session.revoked_at is not None:
        return
    with writing():
        hold(session.user_id)
        revoke(user_id=session.user_id, session_ids=[session.id])


def logout_everywhere(*, user_id: uuid.UUID) -> None:
    """End every session of a person."""
    with writing():
        hold(user_id)
        revoke(user_id=user_id, session_ids=living(user_id))


def end_session(*, user_id: uuid.UUID, session_id: uuid.UUID) -> None:
    """End one of a person's sessions.

    Raises:
        NotFound: this person has no such session.
    """
    with writing():
        hold(user_id)
        if session_id not in living(user_id):
            raise NotFound
        revoke(user_id=user_id, session_ids=[session_id])


def revoke(*, user_id: uuid.UUID, session_ids: Sequence[uuid.UUID]) -> None:
    """End sessions within the caller's transaction; open sockets hear it in the stream."""
    found = Session.objects.filter(pk__in=session_ids, revoked_at=None)
    still = found.select_for_update().order_by("pk")
    ended = list(still.values_list("pk", flat=True))
    if not ended:
        return
    Session.objects.filter(pk__in=ended).update(revoked_at=now())
    data = SessionsRevoked(session_ids=[str(item) for item in ended])
    append(
        [
            Entry(
                stream=user_id,
                type="session.revoked",
                actor_id=user_id,
                data=plain(data),
                ends={"sessions": data.session_ids},
            )
        ]
    )


def prove(*, session_id: uuid.UUID, generation: int) -> None:
    """Note that the client holds this generation: an access token of it was used."""
    with writing():
        Session.objects.filter(pk=session_id, proven__lt=generation).update(proven=generation)


def _expiry(moment: datetime, ends_at: datetime | None) -> datetime:
    slid = moment + timedelta(seconds=settings.LIMITS.refresh_token_seconds)
    return min(slid, ends_at) if ends_at else slid


def _keep(token: tokens.Refresh) -> None:
    RefreshToken.objects.create(
        session_id=token.session_id,
        generation=token.generation,
        secret_hash=tokens.secret_hash(token),
    )


def _signed_in(session: Session, token: tokens.Refresh) -> SignIn:
    left = int((session.expires_at - now()).total_seconds())
    seconds = int(min(settings.LIMITS.access_token_seconds, left))
    return SignIn(
        session=session,
        access=tokens.issue("access", session.id, token.generation, seconds),
        expires_in=seconds,
        refresh=token.text(),
        refresh_expires_in=left,
    )


def _session_of(given: tokens.Refresh) -> Session:
    """Return the session whose token this is or was; an unknown secret ends nothing."""
    session = Session.objects.select_related("user").filter(pk=given.session_id).first()
    kept = RefreshToken.objects.filter(session_id=given.session_id, generation=given.generation)
    stored = kept.values_list("secret_hash", flat=True).first()
    if session is None or stored is None:
        raise InvalidToken
    if not hmac.compare_digest(bytes(stored), tokens.secret_hash(given)):
        raise InvalidToken
    return session


def _locked(session: Session, given: tokens.Refresh) -> Session:
    """Return the session as it is now that nobody else changes it."""
    hold(session.user_id)  # before the session's row, as every other action
    list(Session.objects.select_for_update().filter(pk=session.pk).values_list("pk"))
    locked = _session_of(given)
    _check_living(locked)
    return locked


def _check_living(session: Session) -> None:
    if session.revoked_at is not None or not session.user.enabled:
        raise SessionRevoked
    if session.expires_at <= now():
        raise TokenExpired


def _rotate(session: Session, given: tokens.Refresh, address: str) -> SignIn:
    moment = now()
    following = tokens.successor(given)
    _keep(following)
    RefreshToken.objects.filter(session_id=session.id, generation=given.generation).update(
        replaced_at=moment
    )
    session.generation = following.generation
    session.proven = max(session.proven, given.generation)
    session.last_used_at = moment
    session.address = address
    session.expires_at = _expiry(moment, session.ends_at)
    session.save()
    return _signed_in(session, following)


def _may_repeat(session: Session, given: tokens.Refresh) -> bool:
    """Whether the client may not have had its answer yet, or may just be asking twice."""
    if session.proven <= given.generation:
        return True
    replaced_at = RefreshToken.objects.values_list("replaced_at", flat=True).get(
        session_id=session.id, generation=given.generation
    )
    return replaced_at is not None and now() < replaced_at + timedelta(seconds=REPEAT_SECONDS)


def _given_again(session: Session, given: tokens.Refresh) -> tokens.Refresh:
    """Return the successor that was given, or one in its place, when it cannot be made again.

    That is so when SECRET_KEY has changed meanwhile. One in its place is good as long as
    nobody has shown to hold the first.

    Raises:
        Unavailable: somebody has. The tokens that go with it are to be kept.
    """
    following = tokens.successor(given)
    kept = RefreshToken.objects.filter(session=session, generation=following.generation)
    if bytes(kept.values_list("secret_hash", flat=True).get()) != tokens.secret_hash(following):
        if session.proven > given.generation:
            raise Unavailable
        kept.update(secret_hash=tokens.secret_hash(following))
    return following


def hold(user_id: uuid.UUID) -> None:
    """Wait for everybody who writes about this person; before any row of theirs is locked."""
    lock(user_id, begin=True)


def living(user_id: uuid.UUID) -> list[uuid.UUID]:
    """Return the ids of a person's sessions that are signed in."""
    return list(queries.living_sessions(user_id).values_list("pk", flat=True))
