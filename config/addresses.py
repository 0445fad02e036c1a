"""Who calls: the address that the outermost proxy of ours has seen."""

import ipaddress
from collections.abc import Iterable
from typing import Any

from django.conf import settings


def addressed(scope: dict[str, Any]) -> dict[str, Any]:
    """Return the scope with its client's true address."""
    address = client_address(
        (scope.get("client") or ("", 0))[0],
        [value.decode("latin-1") for key, value in scope["headers"] if key == b"x-forwarded-for"],
        settings.TRUSTED_PROXY_COUNT,
    )
    return {**scope, "client": (address, 0)}


def client_address(peer: str, forwarded: Iterable[str], proxies: int) -> str:
    """Return the right-most address that none of our proxies wrote about another of ours."""
    hops = [hop.strip() for line in forwarded for hop in line.split(",")]
    if proxies == 0 or len(hops) < proxies:
        return peer
    try:
        return str(ipaddress.ip_address(hops[-proxies]))
    except ValueError:
        return peer
