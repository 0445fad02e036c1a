"""Tokens that the service would not give out, signed with its own key."""

from typing import Any

import jwt

from tests import secrets_seen
from tests.servers import World


def signing_key(world: World) -> str:
    """Return the key that this world's servers sign with."""
    return (world.folder / "development-jwt-signing-key").read_text().strip()


def claims_of(token: str) -> dict[str, Any]:
    """Return what a token says."""
    claims: dict[str, Any] = jwt.decode(token, options={"verify_signature": False})
    return claims


def resigned(world: World, token: str, **changes: Any) -> str:
    """Return a token that says something else, rightly signed; None takes a claim out."""
    claims = {**claims_of(token), **changes}
    kept = {name: value for name, value in claims.items() if value is not None}
    token = jwt.encode(kept, signing_key(world), algorithm="HS256")
    secrets_seen.add(token)
    return token


def expired(world: World, token: str) -> str:
    """Return a token as it was given out an hour ago."""
    claims = claims_of(token)
    return resigned(world, token, iat=claims["iat"] - 3600, exp=claims["exp"] - 3600)
