"""``manage.py import_history FILE.jsonl``: load a chat export; safe to repeat."""

import sys
from argparse import ArgumentParser
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO, NoReturn

from django.core.management.base import BaseCommand, CommandError
from tqdm import tqdm
from typing_extensions import override

from accounts.models import User
from accounts.usernames import normalized
from api.imports.stream import import_lines, lines_of


class Command(BaseCommand):
    """Make an export's rooms, people and messages part of the log."""

    help = (
        "Load a chat export: JSON lines of room, n, at, from, text, reply_to. "
        "Messages that are there already are left alone, so a broken run is simply repeated."
    )

    @override
    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", type=Path)
        parser.add_argument("--owner", metavar="USERNAME", help="Whose the new rooms are to be.")

    @override
    def handle(self, *args: Any, **options: Any) -> None:
        path: Path = options["file"]
        owner = _account(options["owner"]) if options["owner"] else None
        try:
            size = path.stat().st_size
            with path.open("rb") as file, _bar(size) as bar:

                def refuse(number: int, reason: str) -> None:
                    with bar.external_write_mode(file=sys.stderr):
                        self.stderr.write(f"line {number}: {reason}")

                totals = import_lines(_watched(file, bar), refuse, owner)
        except OSError as error:
            raise CommandError(f"{path}: {error.strerror}.") from None
        self.stdout.write(
            f"{totals.added} messages added in {len(totals.rooms)} rooms; "
            f"{totals.known} were there already; {totals.refused} lines refused."
        )


def _account(username: str) -> User:
    user = User.objects.filter(username=normalized(username)).first()
    if user is None:
        raise CommandError(f"There is nobody called {username}.")
    return user


def _bar(size: int) -> "tqdm[NoReturn]":
    """Show how much of the file has been read, where somebody is watching."""
    return tqdm(total=size, unit="B", unit_scale=True, disable=None)


def _watched(file: BinaryIO, bar: "tqdm[NoReturn]") -> Iterator[bytes]:
    for line in lines_of(file):
        yield line
        bar.update(len(line))
