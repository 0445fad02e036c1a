"""Tokens: JWTs for access, sockets and downloads, opaque ones for refresh. Alone knows simplejwt.

An access token says whose session it belongs to (``sid``) and with which generation of
the refresh token it was issued (``gen``). It is only as good as its session. A refresh
token is ``sid.generation.secret``; the next secret is an HMAC of the present one under a
key of the server, so the same successor can be given again without being stored. It ends with
a seal, by which the door knows it for one of ours; whether it is good, only the database knows.

Nothing that a JWT's header says is believed: each key has one header, and a token begins
with the header of a key that we have, letter by letter, or it is none of ours (RFC 8725).
"""

import base64
import functools
import hashlib
import hmac
import re
import secrets
import uuid
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Annotated, Literal, NamedTuple

import jwt
import msgspec
import uuid_utils.compat as uuid_utils
from django.conf import settings
from rest_framework_simplejwt.backends import TokenBackend
from rest_framework_simplejwt.exceptions import TokenBackendError, TokenBackendExpiredToken

from accounts import keys
from accounts.keys import Key, Ring
from api.clock import now
from api.codec import decode
from api.errors import InvalidRequest, InvalidToken, MalformedJson, TokenExpired

TOKEN_LENGTH_MAX = 4096
SEAL_LENGTH = 22  # characters: 132 bits
TOKENS_REMEMBERED = 4096  # whose signature need not be checked again: 70 µs each
CLOCKS_APART_SECONDS = 5  # so much may the clock of the process that issued it be ahead
_COMPACT = re.compile(r"[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+){2}")

Kind = Literal["access", "socket", "download"]
Moment = Annotated[int, msgspec.Meta(ge=0, le=253_402_300_799)]  # until the year 9999


class _Said(msgspec.Struct, frozen=True, gc=False):
    """What a JWT of ours says, in this form and no other."""

    typ: Kind
    sid: uuid.UUID
    gen: Annotated[int, msgspec.Meta(ge=1, le=2**31 - 1)]
    jti: uuid.UUID
    iat: Moment
    exp: Moment
    iss: Literal["gapless"]
    aud: Literal["gapless"]


@dataclass(frozen=True)
class Claims:
    """What a JWT of ours says, and by which key, once it has been believed."""

    kind: Kind
    session_id: uuid.UUID
    generation: int
    jti: uuid.UUID
    expires_at: datetime
    kid: str = ""  # of what no key of the ring has signed


class Refresh(NamedTuple):
    """A refresh token, taken apart."""

    session_id: uuid.UUID
    generation: int
    secret: str

    def text(self) -> str:
        """Return the token as clients hold it."""
        return f"{self.session_id}.{self.generation}.{self.secret}"


def issue(kind: Kind, session_id: uuid.UUID, generation: int, seconds: float) -> str:
    """Sign a JWT that is good for so many seconds, at most as long as its session."""
    moment = now()
    key = keys.current().signer(moment)
    claims: dict[str, str | int] = {
        "typ": kind,
        "sid": str(session_id),
        "gen": generation,
        "jti": str(uuid_utils.uuid7()),
        "iat": int(moment.timestamp()),
        "exp": int((moment + timedelta(seconds=seconds)).timestamp()),
        "iss": "gapless",
        "aud": "gapless",
    }
    return _signed(key, claims)


def read(token: str, *kinds: Kind) -> Claims:
    """Believe a JWT, or not.

    Raises:
        TokenExpired: it is ours and right in every respect but its age.
        InvalidToken: for every other cause, without saying which.
    """
    return _read(keys.current(), token, *kinds)


def is_known(token: str, *kinds: Kind) -> bool:
    """Tell whether a JWT is valid as far as can be told without asking anybody.

    Raises:
        TokenExpired: it is right in every respect but its age.
    """
    ring = keys.last_read()
    try:
        return ring is None or bool(_read(ring, token, *kinds))
    except InvalidToken:
        return False


def _read(ring: Ring, token: str, *kinds: Kind) -> Claims:
    claims = _believed(ring, token)
    if claims.kind not in kinds:
        raise InvalidToken
    if claims.expires_at <= now():
        raise TokenExpired
    return claims


@functools.lru_cache(TOKENS_REMEMBERED)
def _believed(ring: Ring, token: str) -> Claims:
    """Check everything but the age; with another ring, everything is checked anew."""
    if len(token) > TOKEN_LENGTH_MAX or not _COMPACT.fullmatch(token):
        raise InvalidToken
    header, payload, _ = token.split(".")
    key = next((key for key in ring.keys if _header(key) == header), None)
    if key is None or not _is_signed(key, token):
        raise InvalidToken
    try:
        said = decode(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)), _Said)
    except (InvalidRequest, MalformedJson):
        raise InvalidToken from None
    return Claims(
        kind=said.typ,
        session_id=said.sid,
        generation=said.gen,
        jti=said.jti,
        expires_at=datetime.fromtimestamp(said.exp, UTC),
        kid=key.kid,
    )


def _is_signed(key: Key, token: str) -> bool:
    """Whether this key has signed it, and not in the future."""
    try:
        _backend(key).decode(token)  # type: ignore[arg-type]  # it is a str
    except TokenBackendExpiredToken:
        return True  # the age is looked at last
    except TokenBackendError:
        return False
    return True


@functools.lru_cache
def _backend(key: Key) -> TokenBackend:
    return TokenBackend(
        key.algorithm,
        signing_key=key.material,
        verifying_key=key.public or "",
        audience="gapless",
        issuer="gapless",
        leeway=CLOCKS_APART_SECONDS,
    )


@functools.lru_cache
def _header(key: Key) -> str:
    """Return how every token of a key begins."""
    return _signed(key, {}).partition(".")[0]


def _signed(key: Key, claims: dict[str, str | int]) -> str:
    signing = _backend(key).prepared_signing_key
    return jwt.encode(claims, signing, algorithm=key.algorithm, headers={"kid": key.kid})


def first_refresh(session_id: uuid.UUID) -> Refresh:
    """Return the refresh token of a new session."""
    return _sealed(session_id, 1, secrets.token_urlsafe(32))


def successor(token: Refresh) -> Refresh:
    """Return the token that follows: the same one, however often it is asked for."""
    text = f"{token.session_id}.{token.generation + 1}.{token.secret}".encode()
    digest = hmac.digest(_refresh_key(), text, "sha256")
    return _sealed(token.session_id, token.generation + 1, _base64url(digest))


def _sealed(session_id: uuid.UUID, generation: int, text: str) -> Refresh:
    return Refresh(session_id, generation, text + _seal(session_id, generation, text))


def is_sealed(token: Refresh) -> bool:
    """Tell whether we have made this token, without asking anybody; it may have been replaced.

    Those made before there were seals, or under another SECRET_KEY, are good without one.
    """
    text, seal = token.secret[:-SEAL_LENGTH], token.secret[-SEAL_LENGTH:]
    wanted = _seal(token.session_id, token.generation, text)
    return hmac.compare_digest(seal.encode(), wanted.encode())


def _seal(session_id: uuid.UUID, generation: int, text: str) -> str:
    key = hmac.digest(settings.SECRET_KEY.encode(), b"refresh-seal", "sha256")
    digest = hmac.digest(key, f"{session_id}.{generation}.{text}".encode(), "sha256")
    return _base64url(digest)[:SEAL_LENGTH]


def _base64url(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def secret_hash(token: Refresh) -> bytes:
    """Return what is stored of a refresh token."""
    return hashlib.sha256(token.secret.encode()).digest()


def parsed_refresh(text: str) -> Refresh:
    """Take a refresh token apart.

    Raises:
        InvalidToken: it has not the form of one.
    """
    try:
        session_id, generation, secret = text[:TOKEN_LENGTH_MAX].split(".")
        number = int(generation) if generation.isascii() and generation.isdigit() else 0
        if not 0 < number < 2**31:
            raise InvalidToken
        return Refresh(uuid.UUID(session_id), number, secret)
    except ValueError:
        raise InvalidToken from None


def _refresh_key() -> bytes:
    return hmac.digest(settings.SECRET_KEY.encode(), b"refresh-successor", "sha256")
