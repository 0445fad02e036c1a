"""Every secret that the tests use, and the logs of all servers, in which none may stand.

Clients note here what they send and get, servers the keys that they are started with. When
the worlds are gone, ``conftest`` asks for leaks; each process of a test run does so for itself.
"""

import itertools
import json
import re
from collections.abc import Iterable
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

import httpx

LOGS = Path(mkdtemp(prefix="gapless-logs-"))  # they outlive the worlds
LENGTH_MIN = 12  # characters; a shorter one may stand anywhere
NAMES = {"access", "refresh", "token", "password", "current_password", "new_password"}
KEYS = {"SECRET_KEY", "JWT_SIGNING_KEY", "METRICS_TOKEN"}
PRINTED = {"correct horse battery"}  # the example that a start prints, and the demonstration

_WORD = re.compile(r"[A-Za-z0-9_-]{12,}")
_words: set[str] = set()
_phrases: set[str] = set()
_numbers = itertools.count(1)


def new_log(name: str) -> Path:
    """Return where a server is to write its log."""
    return LOGS / f"{name}-{next(_numbers)}.log"


def add(*secrets: str) -> None:
    """Note secrets. Of a token it is the last part that nobody else has."""
    for secret in secrets:
        last = secret.rpartition(".")[2]
        if _WORD.fullmatch(last):
            _words.add(last)
        elif len(secret) >= LENGTH_MIN and secret not in PRINTED:
            _phrases.update((secret, json.dumps(secret)[1:-1]))


def note(value: Any) -> None:
    """Note the secrets of a body, of a frame, or of an environment, however deep."""
    match value:
        case dict():
            for name, inner in value.items():
                if name in NAMES | KEYS and isinstance(inner, str):
                    add(inner)
                else:
                    note(inner)
        case list():
            for inner in value:
                note(inner)


def note_exchange(response: httpx.Response) -> None:
    """Note the secrets of a request and of its answer (a hook of httpx)."""
    add(response.request.headers.get("Authorization", "").rpartition(" ")[2])
    for message in (response.request, response):
        try:
            note(json.loads(message.read()))
        except (ValueError, RecursionError, httpx.StreamError):  # no JSON, or sent and gone
            continue


def leaks() -> list[str]:
    """Return which logs tell a secret, and where; not the secret."""
    return [
        f"{path.name}:{number}"
        for path in sorted(LOGS.glob("*.log"))
        for number in _leaking(path.read_text(errors="replace").splitlines())
    ]


def _leaking(lines: Iterable[str]) -> list[int]:
    return [
        number
        for number, line in enumerate(lines, start=1)
        if not _words.isdisjoint(_WORD.findall(line)) or any(text in line for text in _phrases)
    ]
