"""What moderators do to people, and what is to be seen of it."""

from datetime import UTC, datetime, timedelta
from typing import Any

from accounts.models import User
from tests.clients import Person


def ban(actor: Person, room: str, person: Person, status: int = 201, **body: Any) -> Any:
    """Keep a person out of a room; return the ban."""
    return actor.expect(status, "PUT", f"/rooms/{room}/bans/{person.id}", json=body)


def lift(actor: Person, room: str, person: Person) -> None:
    """Let them in again."""
    actor.expect(204, "DELETE", f"/rooms/{room}/bans/{person.id}")


def members(person: Person, room: str) -> set[str]:
    """Return the ids of who is in a room."""
    return {item["user"]["id"] for item in person.get(f"/rooms/{room}/members")["items"]}


def in_future(**some: float) -> str:
    """Return a time to come."""
    moment = datetime.now(UTC) + timedelta(**some)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def join(_: Person, room: str, person: Person) -> None:
    """Join a public room; called as what a moderator does is."""
    person.expect(200, "POST", f"/rooms/{room}/join")


def people(*names: str) -> list[User]:
    """Record people without accounts to sign in to."""
    return [User.objects.create(username=name) for name in names]
