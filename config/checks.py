"""System checks: what the operator should know before the service starts.

gapless.E001  a library is older than the oldest release without a known hole
gapless.W001  production without Redis: other processes are heard within 5 s, not at once
gapless.W002  production without a proxy count: everybody has the proxy's address
"""

from collections.abc import Sequence
from importlib.metadata import version
from typing import Any

from django.apps.config import AppConfig
from django.conf import settings
from django.core.checks import CheckMessage, Error
from django.core.checks import Warning as CheckWarning

FLOORS = {
    "Django": (5, 2, 14),
    "djangorestframework": (3, 18, 2),
    "djangorestframework-simplejwt": (5, 5, 1),
    "PyJWT": (2, 12),
    "daphne": (4, 2, 2),
    "autobahn": (26, 10, 1),
    "Twisted": (26, 4),
}


def security_floors(
    app_configs: Sequence[AppConfig] | None,  # noqa: ARG001  Django's signature
    **_: Any,
) -> list[CheckMessage]:
    """Refuse libraries with known holes."""
    return [
        Error(
            f"{name} {found} is too old.",
            hint=f"At least {'.'.join(map(str, floor))}; see requirements.txt.",
            id="gapless.E001",
        )
        for name, floor in FLOORS.items()
        if numbers(found := version(name)) < floor
    ]


def layer_for_many_processes(
    app_configs: Sequence[AppConfig] | None,  # noqa: ARG001  Django's signature
    **_: Any,
) -> list[CheckMessage]:
    """Warn of several processes without a common channel layer."""
    if settings.ENV.redis_url:
        return []
    return [
        CheckWarning(
            "There is no REDIS_URL: what another process writes is heard within 5 seconds.",
            hint="One process needs none. Several want Redis or Valkey.",
            id="gapless.W001",
        )
    ]


def addresses_behind_a_proxy(
    app_configs: Sequence[AppConfig] | None,  # noqa: ARG001  Django's signature
    **_: Any,
) -> list[CheckMessage]:
    """Warn of production where clients would all have one address."""
    if settings.TRUSTED_PROXY_COUNT or not settings.PRODUCTION:
        return []
    return [
        CheckWarning(
            "TRUSTED_PROXY_COUNT is 0: behind a proxy everybody has the proxy's address.",
            hint="Set it to the number of your proxies that append to X-Forwarded-For. Without "
            "it, what one client tries counts for all, and https is not known to be there.",
            id="gapless.W002",
        )
    ]


def numbers(text: str) -> tuple[int, ...]:
    """Return the leading numbers of a version."""
    parts = text.split(".")
    return tuple(int(part) for part in parts if part.isdigit())
