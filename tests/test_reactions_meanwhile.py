"""Somebody reacts between two statements of an answer: it shows all of that, or nothing.

Naive form: a message, and then what people have reacted to it with.
"""

import json
import uuid
from collections.abc import Callable
from threading import Thread
from typing import Any

import pytest
from django.db import connection, connections
from django.test import Client

from api.log.epoch import renew_epoch
from api.messages.actions import delete_message, send_message
from api.messages.models import Reaction, ReactionKind
from api.messages.reacting import add_reaction
from api.messages.schemas import Content
from api.rooms.actions import create_room
from api.rooms.schemas import CreateRoom
from tests.clients import PASSWORD

pytestmark = pytest.mark.django_db(transaction=True)
ANSWERS: dict[str, Callable[[Any], dict[str, Any]]] = {
    "/rooms/{room}/messages": lambda page: page["items"][0],
    "/rooms/{room}/messages?around=2": lambda page: page["items"][0],
    "/rooms/{room}/messages?ids={message}": lambda page: page["items"][0],
    "/rooms/{room}/pins": lambda page: page["items"][0],
    "/messages/{message}": lambda message: message,
    "/rooms": lambda page: page["items"][0]["last_message"],
    "/rooms/{room}": lambda room: room["last_message"],
    "/sync": lambda state: state["rooms"][0]["last_message"],
}


class Caller:
    """Alice, at a door without a network, in a room in which she has said something."""

    def __init__(self) -> None:
        self.client, self.headers = Client(), dict[str, str]()
        body = {"username": "alice", "password": PASSWORD}
        signed_in = self.call("POST", "/auth/register", body)
        self.headers = {"Authorization": f"Bearer {signed_in['access']}"}
        self.id = uuid.UUID(signed_in["user"]["id"])
        room = create_room(creator_id=self.id, content=CreateRoom(name="room", kind="private"))
        content = Content(text="hello", client_msg_id="once")
        self.room = room.id
        self.said = send_message(sender_id=self.id, room_id=room.id, content=content).message.id
        self.react("👍")
        self.call("PUT", f"/messages/{self.said}/pin")

    def call(self, method: str, path: str, body: Any = None) -> Any:
        """Make a request that succeeds; return the JSON."""
        data, headers = "" if body is None else json.dumps(body), self.headers
        answer = self.client.generic(
            method, f"/api/v1{path}", data, "application/json", headers=headers
        )
        assert answer.status_code in (200, 201), answer.content
        return answer.json()

    def react(self, emoji: str) -> None:
        """React to what has been said."""
        add_reaction(user_id=self.id, message_id=self.said, emoji=emoji)


@pytest.fixture
def alice() -> Caller:
    """Alice, with an account, in a database that another test may have emptied."""
    renew_epoch()
    return Caller()


def meanwhile(act: Callable[[], None]) -> Callable[..., Any]:
    """Return a wrapper of statements: when messages have been read, somebody else acts."""
    done: list[Thread] = []

    def elsewhere() -> None:
        try:
            act()
        finally:
            connections.close_all()

    def wrapper(execute: Any, sql: str, *rest: Any) -> Any:
        found = execute(sql, *rest)
        if 'FROM "api_message"' in sql and not connection.in_atomic_block and not done:
            done.append(Thread(target=elsewhere))
            done[0].start()
            done[0].join()
        return found

    return wrapper


def of(message: dict[str, Any]) -> tuple[int, list[str]]:
    """Return the number of a copy, and what it says people have reacted with."""
    return message["changed_seq"], [reaction["emoji"] for reaction in message["reactions"]]


@pytest.mark.parametrize("path", ANSWERS)
def test_an_answer_is_true_at_one_moment(alice: Caller, path: str) -> None:
    path, shown = path.format(room=alice.room, message=alice.said), ANSWERS[path]
    with connection.execute_wrapper(meanwhile(lambda: alice.react(":second:"))):
        answer = alice.call("GET", path)
    assert of(shown(answer)) == (4, ["👍"])
    assert of(shown(alice.call("GET", path))) == (5, ["👍", ":second:"])


def test_a_repeated_send_is_answered_as_of_one_moment(alice: Caller) -> None:
    path, body = f"/rooms/{alice.room}/messages", {"text": "hello", "client_msg_id": "once"}
    with connection.execute_wrapper(meanwhile(lambda: alice.react(":second:"))):
        answer = alice.call("POST", path, body)
    assert of(answer) == (4, ["👍"])
    assert of(alice.call("POST", path, body)) == (5, ["👍", ":second:"])


@pytest.mark.parametrize(("method", "below"), [("PATCH", ""), ("PUT", "/pin"), ("DELETE", "/pin")])
def test_a_change_shows_reactions_as_its_transaction_sees_them(
    alice: Caller, method: str, below: str
) -> None:
    within: list[bool] = []

    def wrapper(execute: Any, sql: str, *rest: Any) -> Any:
        if 'FROM "api_reactionkind"' in sql:
            within.append(connection.in_atomic_block)
        return execute(sql, *rest)

    body = {"text": "new"} if method == "PATCH" else None
    for _ in range(2):  # the second changes nothing
        with connection.execute_wrapper(wrapper):
            answer = alice.call(method, f"/messages/{alice.said}{below}", body)
        assert of(answer) == (4 if method == "PUT" else 5, ["👍"])
    assert within == [True, True]


def test_nothing_is_kept_of_what_was_given_to_a_tombstone(alice: Caller) -> None:
    delete_message(actor_id=alice.id, message_id=alice.said)
    assert not Reaction.objects.exists()
    assert not ReactionKind.objects.exists()
