"""Who calls: the address that the outermost proxy of ours has seen."""

import ipaddress
import re
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


_WITH_PORT = re.compile(r"\[(?P<v6>[0-9A-Fa-f:.]+)\](?::\d{1,5})?|(?P<v4>[0-9.]+):\d{1,5}")


def client_address(peer: str, forwarded: Iterable[str], proxies: int) -> str:
    """Return the right-most address that none of our proxies wrote about another of ours."""
    hops = [hop.strip() for line in forwarded for hop in line.split(",")]
    if proxies == 0 or len(hops) < proxies:
        return peer
    return _address(hops[-proxies]) or peer


def _address(hop: str) -> str | None:
    """Return the address of a hop, which some proxies write with its port; None for no address."""
    ported = _WITH_PORT.fullmatch(hop)
    text = (ported["v6"] or ported["v4"]) if ported else hop
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return None
    return None if "%" in text else str(address)  # what follows it may be anything
