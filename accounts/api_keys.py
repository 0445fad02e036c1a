"""Keys of bots: their form, and what is stored of them.

``gaplessbot_PREFIX_SECRET``: the prefix is what a key is known by, in lists and to operators;
the secret is 32 random bytes, of which only a hash is stored.
"""

import hashlib
import re
import secrets
from typing import NamedTuple

SECRET_BYTES = 32
PREFIX_BYTES = 6
_FORM = re.compile(r"gaplessbot_([0-9a-f]{12})_([A-Za-z0-9_-]{43})")


class ApiKey(NamedTuple):
    """A bot's key, taken apart."""

    prefix: str
    secret: str

    @property
    def text(self) -> str:
        """The key as the bot holds it."""
        return f"gaplessbot_{self.prefix}_{self.secret}"

    @property
    def secret_hash(self) -> bytes:
        """What is stored of it: so much randomness needs no slow hash."""
        return hashlib.sha256(self.secret.encode()).digest()


def new() -> ApiKey:
    """Return a key that nobody has."""
    return ApiKey(secrets.token_hex(PREFIX_BYTES), secrets.token_urlsafe(SECRET_BYTES))


def parsed(text: str) -> ApiKey | None:
    """Take a key apart; None when it has not the form of one."""
    found = _FORM.fullmatch(text)
    return ApiKey(*found.groups()) if found else None
