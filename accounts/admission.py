"""Who is let in though too much nonsense has come from their address: whoever holds a valid token.

Asks neither the database nor Redis, so that the doors can ask it on their loops: a flood is
answered without a thread. What is let in here is still looked at by those who can ask.
"""

import math

from accounts import tokens
from accounts.tokens import Kind
from api import invalid
from api.errors import InvalidToken, RateLimited


def check(address: str, token: str | None, *kinds: Kind) -> None:
    """Let pass who brings a token of these kinds, or comes from where all is well.

    Raises:
        RateLimited: neither.
        TokenExpired: it would be valid; its holder is to refresh, and not to wait.
    """
    wait = invalid.wait(address)
    if wait and (token is None or not tokens.is_known(token, *kinds)):
        raise RateLimited(retry_after=math.ceil(wait))


def check_refresh(address: str, token: str | None) -> None:
    """Let pass who brings a refresh token that we have made, or comes from where all is well.

    Raises:
        RateLimited: neither.
    """
    wait = invalid.wait(address)
    if wait and (token is None or not _is_ours(token)):
        raise RateLimited(retry_after=math.ceil(wait))


def _is_ours(token: str) -> bool:
    try:
        return tokens.is_sealed(tokens.parsed_refresh(token))
    except InvalidToken:
        return False
