"""What a thread of the door asks the database for one request, when it is connected already.

Usage: statements_of_a_request TOKEN. Prints the statements of the third request, and for each
connection whether it is closed when the door has ended.
"""

import asyncio
import json
import sys
from typing import Any

import django

django.setup()

import psycopg

from config.http import HttpDoor
from tests.doors import Visit

statements: list[str] = []
connections: set[psycopg.Connection[Any]] = set()
execute: Any = psycopg.Cursor.execute


def noted(cursor: psycopg.Cursor[Any], query: Any, *rest: Any, **options: Any) -> Any:
    """Execute, and keep in mind what was asked of whom."""
    statements.append(str(query))
    connections.add(cursor.connection)
    return execute(cursor, query, *rest, **options)


async def run(token: str) -> None:
    """Make the same request three times, one after the other."""
    door = HttpDoor()
    headers = [(b"authorization", f"Bearer {token}".encode())]
    for _ in range(3):
        statements.clear()
        visit = Visit(door, "GET", "/api/v1/me", headers=headers)
        await visit.whole()
        assert visit.sent[0]["status"] == 200, visit.body
    await door.end()


if __name__ == "__main__":
    psycopg.Cursor.execute = noted  # type: ignore[assignment,method-assign]
    asyncio.run(run(sys.argv[1]))
    closed = [connection.closed for connection in connections]
    print(json.dumps({"statements": statements, "closed": closed}))
