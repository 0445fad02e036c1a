"""Who speaks in an export: each nickname is one person, who cannot sign in."""

import contextlib
import hashlib
import re
import unicodedata
from collections.abc import Iterable, Iterator

from django.contrib.auth.hashers import make_password

from accounts import usernames
from accounts.actions import new_user
from accounts.models import User
from api.errors import InvalidRequest
from api.imports.schemas import Line

NAMELESS = "person"  # for a nickname in which no character can be part of a username
USERNAME_LENGTH_MAX = 32
SUFFIXES = (4, 8, 16, 24)  # hexadecimal digits; the first is free but for a rare accident

_OTHERS = re.compile(r"[^a-z0-9._-]+")


def speakers(lines: Iterable[Line]) -> dict[str, User]:
    """Return the people who say these lines by their keys; those who are new are made."""
    first: dict[str, Line] = {}
    for line in lines:
        first.setdefault(line.person_key, line)
    known = User.objects.filter(import_key__in=first)
    people = {str(user.import_key): user for user in known}
    names = _free_usernames(key for key in first if key not in people)
    made = {key: _person(key, first[key], names[key]) for key in sorted(names)}
    User.objects.bulk_create(made.values())
    return people | made


def candidates(key: str) -> Iterator[str]:
    """Yield usernames for a nickname, the nicest first, always the same for the same."""
    letters = "".join(
        mark for mark in unicodedata.normalize("NFKD", key) if not unicodedata.combining(mark)
    )
    base = _OTHERS.sub("-", letters).strip("-._")
    for name in dict.fromkeys([key, base]):
        with contextlib.suppress(InvalidRequest):
            yield usernames.checked(name)
    digest = hashlib.sha256(key.encode()).hexdigest()
    for length in SUFFIXES:
        room = USERNAME_LENGTH_MAX - length - 1
        yield usernames.checked(f"{base[:room] or NAMELESS}-{digest[:length]}")


def _free_usernames(keys: Iterable[str]) -> dict[str, str]:
    """Choose a username for each key that nobody has and that looks like nobody's."""
    waiting = {key: candidates(key) for key in keys}
    chosen: dict[str, str] = {}
    taken: set[str | None] = set()
    while waiting:
        wanted = {key: next(names) for key, names in waiting.items()}
        skeletons = [usernames.skeleton(name) for name in wanted.values()]
        found = User.objects.filter(skeleton__in=skeletons)
        taken.update(found.values_list("skeleton", flat=True))
        for key, name in wanted.items():
            if usernames.skeleton(name) not in taken:
                taken.add(usernames.skeleton(name))
                chosen[key] = name
                del waiting[key]
    return chosen


def _person(key: str, first: Line, username: str) -> User:
    user = new_user(
        username=username,
        display_name=first.sender.strip(),
        password_hash=make_password(None),  # one that no password matches
    )
    user.import_key = key
    user.created_at = first.at
    return user
