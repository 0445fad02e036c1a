"""``manage.py signing_keys rotate|list|prune``: the keys that sign access tokens."""

from argparse import ArgumentParser
from collections.abc import Iterator
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from typing_extensions import override

from accounts import keys, rotation
from accounts.models import SigningKey
from api.clock import now
from api.codec import instant
from api.errors import Conflict


class Command(BaseCommand):
    """Change the signing key without signing anybody out."""

    help = (
        "rotate: add a key, which signs after a moment; earlier tokens stay good. "
        "list: show the ring. prune: drop keys whose last token has expired."
    )

    @override
    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("what", choices=("rotate", "list", "prune"))
        parser.add_argument("--algorithm", choices=keys.ALGORITHMS, default="HS256")
        parser.add_argument(
            "--at-once",
            action="store_true",
            help="prune: drop all but the newest key, because somebody else has one of them.",
        )

    @override
    def handle(self, *args: Any, **options: Any) -> None:
        if options["what"] == "rotate":
            added = rotation.rotate(algorithm=options["algorithm"])
            said = f"{added.kid} ({added.algorithm}) signs from {instant(added.signs_from)}."
        elif options["what"] == "prune":
            try:
                dropped = rotation.prune(at_once=options["at_once"])
            except Conflict as conflict:
                raise CommandError(conflict.detail) from None
            said = f"Dropped: {', '.join(dropped) or 'none'}."
        else:
            said = "\n".join(_lines())
        self.stdout.write(said)


def _lines() -> Iterator[str]:
    """Show each key of the ring with its algorithm, since when it signs, and how it stands."""
    rows = list(SigningKey.objects.order_by("signs_from", "kid"))
    if not rows:
        first = keys.of_environment(keys.ALWAYS)
        yield f"{first.kid} {first.algorithm} always signs"
        return
    moment = now()
    ring = keys.Ring(tuple(key for key in map(keys.opened, rows) if key is not None))
    signer = ring.signer(moment).kid if ring.keys else None
    readable = {key.kid for key in ring.keys}
    for row in rows:
        if row.kid not in readable:
            state = "cannot be opened"
        elif row.kid == signer:
            state = "signs"
        else:
            state = "waits" if row.signs_from > moment else "is believed"
        yield f"{row.kid} {row.algorithm} {instant(row.signs_from)} {state}"
