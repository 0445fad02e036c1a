"""The ring of signing keys: which one signs, which are believed, how they are kept.

The environment's key is the first. A key that follows it is a row, sealed under SECRET_KEY.
It is believed from the start and signs only SETTLE_SECONDS later, when every process has read
the ring again: so nobody is refused a token that another process has just signed.
"""

import base64
import hmac
import logging
import secrets
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from typing import Literal, NamedTuple

from cryptography.fernet import Fernet, InvalidToken
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from django.conf import settings
from typing_extensions import override

from accounts.models import SigningKey
from api.errors import Unavailable

Algorithm = Literal["HS256", "ES256", "EdDSA"]
ALGORITHMS: tuple[Algorithm, ...] = ("HS256", "ES256", "EdDSA")
READ_AGAIN_SECONDS = 5  # how long a process goes by what it has read
SETTLE_SECONDS = 15  # before a new key signs: twice read, and clocks that are 5 s apart
SECRET_BYTES = 48  # of randomness in a key of HS256
ALWAYS = datetime(2000, 1, 1, tzinfo=UTC)  # since when the environment's key signs

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Key:
    """A key with its one algorithm; ``material`` is a secret, or a private key as PEM."""

    kid: str
    algorithm: Algorithm
    material: str
    signs_from: datetime

    @override
    def __repr__(self) -> str:
        return f"Key({self.kid}, {self.algorithm})"  # what is logged holds no secret

    @cached_property
    def public(self) -> str | None:
        """The public half as PEM; a secret has none."""
        if self.algorithm == "HS256":
            return None
        pem = self._private.public_key().public_bytes(
            serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
        )
        return pem.decode()

    @property
    def jwk(self) -> dict[str, str] | None:
        """The public half as others verify with it (RFC 7517, 8037); a secret has none."""
        if self.algorithm == "HS256":
            return None
        return {"kid": self.kid, "alg": self.algorithm, "use": "sig"} | _coordinates(self._private)

    @cached_property
    def _private(self) -> "_Private":
        found = serialization.load_pem_private_key(self.material.encode(), None)
        assert isinstance(found, ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey)  # noqa: S101
        return found


_Private = ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey


@dataclass(frozen=True, eq=False)
class Ring:
    """The keys that are believed, in the order in which they sign."""

    keys: tuple[Key, ...]

    @cached_property
    def kids(self) -> frozenset[str]:
        """The ids of the keys."""
        return frozenset(key.kid for key in self.keys)

    def signer(self, moment: datetime) -> Key:
        """Return the newest key whose time has come; the first if none has."""
        due = [key for key in self.keys if key.signs_from <= moment]
        return due[-1] if due else self.keys[0]


class _Read(NamedTuple):
    ring: Ring
    good_until: float


_read: _Read | None = None


def current() -> Ring:
    """Return the ring; the same object as long as nothing has changed in it.

    Raises:
        Unavailable: none of the keys can be opened.
    """
    global _read  # noqa: PLW0603  what is kept is replaced as a whole
    kept, moment = _read, time.monotonic()
    if kept is not None and moment < kept.good_until:
        return kept.ring
    keys = _believed()
    ring = kept.ring if kept is not None and kept.ring.keys == keys else Ring(keys)
    _read = _Read(ring, moment + READ_AGAIN_SECONDS)
    return ring


def last_read() -> Ring | None:
    """Return the ring as it was last read, None before that; asks nobody."""
    kept = _read
    return None if kept is None else kept.ring


def _believed() -> tuple[Key, ...]:
    rows = list(SigningKey.objects.order_by("signs_from", "kid"))
    if not rows:
        return (of_environment(ALWAYS),)
    found = tuple(key for key in map(opened, rows) if key is not None)
    if not found:
        log.error("no signing key can be opened: run manage.py signing_keys rotate")
        raise Unavailable
    return found


def of_environment(signs_from: datetime) -> Key:
    """Return the key that the service starts with; its id gives nothing of it away."""
    secret: str = settings.JWT_SIGNING_KEY
    kid = hmac.digest(secret.encode(), b"kid", "sha256")[:8].hex()
    return Key(kid, "HS256", secret, signs_from)


def opened(row: SigningKey) -> Key | None:
    """Return the key of a row; None when it is gone from the environment, or SECRET_KEY is."""
    if row.sealed is None:
        first = of_environment(row.signs_from)
        return first if first.kid == row.kid else None
    try:
        material = _seal().decrypt(bytes(row.sealed)).decode()
    except InvalidToken:
        log.warning("signing key %s cannot be opened: SECRET_KEY is another one", row.kid)
        return None
    return Key(row.kid, row.algorithm, material, row.signs_from)  # type: ignore[arg-type]  # one of ours


def sealed(material: str) -> bytes:
    """Return what is stored of a key."""
    return _seal().encrypt(material.encode())


def new_material(algorithm: Algorithm) -> str:
    """Return a new secret, or a new private key as PEM."""
    if algorithm == "HS256":
        return secrets.token_urlsafe(SECRET_BYTES)
    private: _Private
    if algorithm == "ES256":
        private = ec.generate_private_key(ec.SECP256R1())
    else:
        private = ed25519.Ed25519PrivateKey.generate()
    return private.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    ).decode()


def _seal() -> Fernet:
    key = hmac.digest(settings.SECRET_KEY.encode(), b"signing-keys", "sha256")
    return Fernet(base64.urlsafe_b64encode(key))


def _coordinates(private: _Private) -> dict[str, str]:
    if isinstance(private, ec.EllipticCurvePrivateKey):
        numbers = private.public_key().public_numbers()
        return {
            "kty": "EC",
            "crv": "P-256",
            "x": _base64url(numbers.x.to_bytes(32, "big")),
            "y": _base64url(numbers.y.to_bytes(32, "big")),
        }
    raw = private.public_key().public_bytes_raw()
    return {"kty": "OKP", "crv": "Ed25519", "x": _base64url(raw)}


def _base64url(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()
