"""Tokens that the service would not give out, signed with its own key."""

import base64
import hmac
import json
from typing import Any

import jwt

from tests import secrets_seen
from tests.servers import ACCESS_SECONDS, World


def signing_key(world: World) -> str:
    """Return the key that this world's servers begin with."""
    return (world.folder / "development-jwt-signing-key").read_text().strip()


def claims_of(token: str) -> dict[str, Any]:
    """Return what a token says."""
    claims: dict[str, Any] = jwt.decode(token, options={"verify_signature": False})
    return claims


def altered(text: str, at: int = 0) -> str:
    """Return a text with another letter in one place."""
    place = range(len(text))[at]
    return f"{text[:place]}{'a' if text[place] != 'a' else 'b'}{text[place + 1 :]}"


def kid_of(token: str) -> str:
    """Return which key a token says that it is signed with."""
    return str(jwt.get_unverified_header(token)["kid"])


def segment(part: Any) -> str:
    """Return a part of a token: JSON as compact as ours, or bytes that are taken for it."""
    raw = part if isinstance(part, bytes) else json.dumps(part, separators=(",", ":")).encode()
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def minted(key: str, header: str, payload: str, digest: str = "sha256") -> str:
    """Sign two segments, whatever they say."""
    signature = hmac.digest(key.encode(), f"{header}.{payload}".encode(), digest)
    return f"{header}.{payload}.{segment(signature)}"


def resigned(world: World, token: str, **changes: Any) -> str:
    """Return a token that says something else, rightly signed; None takes a claim out."""
    claims = {**claims_of(token), **changes}
    kept = {name: value for name, value in claims.items() if value is not None}
    header, _, _ = token.partition(".")
    made = minted(signing_key(world), header, segment(kept))
    secrets_seen.add(made)
    return made


def expired(world: World, token: str, **changes: Any) -> str:
    """Return a token as it was given out so long ago that it is over since an hour."""
    claims = claims_of(token)
    earlier = ACCESS_SECONDS + 3600
    moved = {"iat": claims["iat"] - earlier, "exp": claims["exp"] - earlier}
    return resigned(world, token, **(moved | changes))
