"""A room with somebody of every role in it, somebody who has left, and somebody outside."""

import re
import uuid
from datetime import UTC, datetime, timedelta
from functools import cached_property
from typing import Any

from tests.clients import Person
from tests.pictures import picture
from tests.roles import ROLES

# Whom a case is about, and the role that it speaks of.
_WHOM = re.compile(r"an? (former member|newcomer|reader|member|moderator|admin|owner)\b")
_ROLE = re.compile(r"\b(?:as|to) (\w+)$")
LATER = {"text": "later", "send_at": (datetime.now(UTC) + timedelta(days=1)).isoformat()}


class Cast:
    """The people: for each role who acts, and another one who is acted on."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.nobody = Person(url, {})
        self.newcomer = Person.register(url, "newcomer")
        places = ("stranger", "former member", *ROLES)
        self.actors = {place: Person.register(url, place.split()[0]) for place in places}
        self.others = {role: Person.register(url, f"other.{role}") for role in ROLES}

    def actor(self, place: str) -> Person:
        """Return who acts in this place."""
        return self.nobody if place == "nobody" else self.actors[place]


class Scene:
    """One room, made for one cell; it, and what a case takes besides, when it is asked for."""

    def __init__(self, cast: Cast, kind: str) -> None:
        self.cast, self.kind = cast, kind
        self.owner = cast.actors["owner"]
        self.name = f"room {uuid.uuid4()}"
        self._said: dict[str, dict[str, Any]] = {}
        self._reports: dict[str, dict[str, Any]] = {}

    @cached_property
    def room(self) -> str:
        """The room, with everybody in their place; who has left has said something."""
        made: str = self.owner.create_room(kind=self.kind, name=self.name)["id"]
        former = self.cast.actors["former member"]
        self.put(former, "member", made)
        self._said[former.id] = former.send(made)
        former.expect(204, "POST", f"/rooms/{made}/leave")
        for role in ROLES[:-1]:
            self.put(self.cast.actors[role], role, made)
        return made

    def put(self, person: Person, role: str, room: str | None = None) -> None:
        """Have a person in the room, with this role."""
        path = f"/rooms/{room or self.room}/members/{person.id}"
        answer = self.owner.call("PUT", path, json={"role": role})
        assert answer.status_code in (200, 201), answer.text

    def stand_in(self, place: str) -> Person:
        """Return somebody new in this place, whom nobody else needs."""
        person = Person.register(self.cast.url, place.split()[0])
        if place == "former member":
            self.put(person, "member")
            person.expect(204, "POST", f"/rooms/{self.room}/leave")
        elif place in ROLES:
            self.put(person, place)
        return person

    def whom(self, case: str, actor: Person) -> Person:
        """Return whom a case is about; the owner where it is about nobody."""
        if case.startswith("one") and actor.tokens:  # oneself, one's own
            return actor
        if case.startswith("somebody else"):
            return self.cast.newcomer
        found = _WHOM.match(case)
        if found is None:
            return self.owner
        place = found.group(1)
        if place == "newcomer":
            return self.cast.newcomer
        if place == "former member":
            return self.cast.actors[place]
        other = self.cast.others[place]
        self.put(other, place)
        return other

    def said_by(self, person: Person) -> dict[str, Any]:
        """Return something that this person has said here, whatever they may do now."""
        room = self.room
        if person.id not in self._said:
            role = person.get(f"/rooms/{room}")["my_role"]
            if role == "reader":
                self.put(person, "member")
            self._said[person.id] = person.send(room)
            if role == "reader":
                self.put(person, role)
        return self._said[person.id]

    def report_on(self, person: Person) -> dict[str, Any]:
        """Return a report of something that this person has said here."""
        if person.id not in self._reports:
            path, reader = f"/messages/{self.said_by(person)['id']}", self.cast.actors["reader"]
            filed = reader.expect(201, "POST", f"{path}/report", json={"reason": "spam"})
            self._reports[person.id] = filed
        return self._reports[person.id]

    def scheduled_by(self, person: Person) -> str:
        """Return the id of something that this person wants to say here; else of nothing."""
        answer = person.call("POST", f"/rooms/{self.room}/scheduled", json=LATER)
        return str(answer.json().get("id", uuid.uuid4()))

    def shown_by(self, person: Person) -> dict[str, Any]:
        """Return a picture that this person has sent here, whatever they may do now."""
        room, role = self.room, person.get(f"/rooms/{self.room}")["my_role"]
        if role == "reader":
            self.put(person, "member")
        upload = person.upload("a.png", picture())
        person.send(room, attachment_ids=[upload["id"]])
        if role == "reader":
            self.put(person, role)
        return upload


def role_in(case: str) -> dict[str, str]:
    """Return the body that a case speaks of: *a member, to reader*."""
    found = _ROLE.search(case)
    return {"role": found.group(1)} if found else {}
