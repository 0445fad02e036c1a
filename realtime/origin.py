"""From which web pages a socket may be opened.

An absent Origin is a native app. A present one must be our own host or be listed; ``null``
(a sandboxed page, a file) is refused.
"""

from collections.abc import Collection, Iterable
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.http.request import split_domain_port, validate_host

from realtime.close_codes import FORBIDDEN


def allowed(origins: Collection[str], host: str, listed: Collection[str]) -> bool:
    """Tell whether a handshake with these Origin headers may open a socket.

    ``host`` is the Host header, empty when it is not one of ours.
    """
    if not origins:
        return True
    if len(origins) > 1:
        return False
    (origin,) = origins
    parts = urlsplit(origin)
    if parts.scheme not in ("http", "https") or origin != f"{parts.scheme}://{parts.netloc}":
        return False
    own = bool(host) and parts.netloc.lower() == host.lower()
    return own or origin.lower() in {item.lower() for item in listed}


class OriginPolicy:
    """Middleware: mark a handshake from a foreign page as refused."""

    def __init__(self, app: Any) -> None:
        self._app = app

    async def __call__(self, scope: dict[str, Any], receive: Any, send: Any) -> None:
        if not _is_allowed(scope["headers"]):
            scope["refused"] = FORBIDDEN
        await self._app(scope, receive, send)


def _is_allowed(headers: Iterable[tuple[bytes, bytes]]) -> bool:
    named = [(name.lower(), value.decode("latin-1")) for name, value in headers]
    origins = [value for name, value in named if name == b"origin"]
    host = next((value for name, value in named if name == b"host"), "")
    domain, _ = split_domain_port(host)
    ours = host if validate_host(domain, settings.ALLOWED_HOSTS) else ""
    try:
        return allowed(origins, ours, settings.CORS_ALLOWED_ORIGINS)
    except ValueError:  # no URL at all
        return False
