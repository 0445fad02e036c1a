"""Writes of the ring: a new key is added, those that nothing hangs on any more are dropped."""

import secrets
from collections.abc import Sequence
from datetime import datetime, timedelta
from itertools import pairwise

from django.conf import settings

from accounts import keys
from accounts.models import SigningKey
from api.clock import now
from api.errors import Conflict
from api.log.append import writing


def rotate(*, algorithm: keys.Algorithm) -> SigningKey:
    """Add a key: believed by every process in a moment, signing SETTLE_SECONDS from now."""
    with writing():
        moment = now()
        if not SigningKey.objects.exists():
            first = keys.of_environment(moment)
            row = SigningKey(kid=first.kid, algorithm=first.algorithm, signs_from=moment)
            SigningKey.objects.bulk_create([row], ignore_conflicts=True)  # two may be the first
        return SigningKey.objects.create(
            kid=secrets.token_hex(8),
            algorithm=algorithm,
            sealed=keys.sealed(keys.new_material(algorithm)),
            signs_from=moment + timedelta(seconds=keys.SETTLE_SECONDS),
        )


def prune(*, at_once: bool) -> list[str]:
    """Drop the keys whose last token has expired; return their ids.

    ``at_once``: all but the newest, for a key that somebody else has; what the others have
    signed is refused within READ_AGAIN_SECONDS, and clients refresh.

    Raises:
        Conflict: the newest cannot be opened, so another one may still have to sign.
    """
    with writing():
        rows = list(SigningKey.objects.order_by("signs_from", "kid"))
        if rows and keys.opened(rows[-1]) is None:
            raise Conflict("The newest key cannot be opened: rotate first.")
        dropped = [row.kid for row in (rows[:-1] if at_once else _spent(rows, now()))]
        SigningKey.objects.filter(pk__in=dropped).delete()
    return dropped


def _spent(rows: Sequence[SigningKey], moment: datetime) -> list[SigningKey]:
    limits = settings.LIMITS
    seconds = max(limits.access_token_seconds, limits.socket_token_seconds) + keys.SETTLE_SECONDS
    signed_last = moment - timedelta(seconds=seconds)
    return [row for row, following in pairwise(rows) if following.signs_from <= signed_last]
