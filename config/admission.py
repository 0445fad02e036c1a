"""Who is turned away at the door, by the address they come from and what they bring."""

from urllib.parse import parse_qs

from accounts import admission, attempts
from accounts.attempts import Tried
from accounts.authentication import bearer_token
from accounts.schemas import Logout
from accounts.tokens import Kind
from api import invalid
from api.codec import decode
from api.errors import ChatError, InvalidToken
from config.bodies import Body
from config.messages import Scope, header

API = "/api/"
TRIED: dict[str, Tried] = {
    "/api/v1/auth/login": "failures",
    "/api/v1/auth/register": "registrations",
}
BY_REFRESH_TOKEN = {"/api/v1/auth/refresh", "/api/v1/auth/logout"}  # it stands in the body
FILES = "/api/v1/attachments/"  # to which links may bring a token of their own
REFRESH_BYTES_MAX = 8 * 1024  # of a body that is looked into on the loop


def check(scope: Scope) -> None:
    """Turn away, before the body is read, whom this process has refused already.

    A valid token lets its holder pass, a preflight its page: neither is what floods. What signs
    in needs no token, so one does not let it pass.

    Raises:
        RateLimited: too much has come from this address.
        TokenExpired: and the token would be valid, but has expired.
    """
    path, address = scope["path"], scope["client"][0]
    if not path.startswith(API) or _is_preflight(scope):  # probes come from everybody's balancer
        return
    tried = TRIED.get(path)
    if tried is not None:
        if scope["method"] == "POST":
            attempts.check(tried, address)
        admission.check(address, None)
    elif path not in BY_REFRESH_TOKEN:
        admission.check(address, *_presented(scope))


def check_body(scope: Scope, body: Body) -> None:
    """Turn away what is to be let in by a refresh token in its body, as ``check`` does."""
    address = scope["client"][0]
    if scope["path"] not in BY_REFRESH_TOKEN or not invalid.wait(address) or _is_preflight(scope):
        return
    try:
        said = decode(body.read(REFRESH_BYTES_MAX) or b"{}", Logout)
    except ChatError:
        admission.check(address, None)
        return
    if said.refresh is None:
        admission.check(address, *_presented(scope))
    else:
        admission.check_refresh(address, said.refresh)


def _is_preflight(scope: Scope) -> bool:
    asks = header(scope, b"access-control-request-method")
    return scope["method"] == "OPTIONS" and bool(asks)


def _presented(scope: Scope) -> tuple[str | None, Kind]:
    """Return the token that a request brings, of which kind it has to be."""
    try:
        token = bearer_token(header(scope, b"authorization").decode("latin-1"))
    except InvalidToken:
        return None, "access"
    if token is None and scope["path"].startswith(FILES):
        given = parse_qs(scope["query_string"].decode("latin-1")).get("token", [None])
        return given[0], "download"
    return token, "access"
