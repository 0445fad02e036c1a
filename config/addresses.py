"""Who calls: the address that the outermost proxy of ours has seen."""

import ipaddress
from collections.abc import Iterable


def client_address(peer: str, forwarded: Iterable[str], proxies: int) -> str:
    """Return the right-most address that none of our proxies wrote about another of ours."""
    hops = [hop.strip() for line in forwarded for hop in line.split(",")]
    if proxies == 0 or len(hops) < proxies:
        return peer
    try:
        return str(ipaddress.ip_address(hops[-proxies]))
    except ValueError:
        return peer
