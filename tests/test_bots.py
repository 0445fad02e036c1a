"""Bots: made by an operator, known by a key that is told once, and out as soon as it is revoked."""

import asyncio
import itertools
import re
from typing import Any

import psycopg
import pytest
from django.db import connection

from accounts import bots
from accounts.models import BotKey, Session, User
from api.errors import ChatError, Conflict, UsernameTaken
from tests import secrets_seen
from tests.clients import PASSWORD, Person, Socket, at_once, profile
from tests.minting import altered
from tests.servers import World, one_world

KEY = re.compile(r"gaplessbot_[0-9a-f]{12}_[A-Za-z0-9_-]{43}")
REVOKED = ({"type": "bye", "code": 4009, "reason": "session_revoked", "reconnect": "no"}, 4009)
_numbers = itertools.count(1)


def operate(world: World, *arguments: str) -> str:
    """Run a command that succeeds; return what it prints."""
    done = world.manage(*arguments)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


class Bot(Person):
    """A bot, with its key where people have an access token."""

    @classmethod
    def made(cls, world: World, *arguments: str) -> "Bot":
        """Have an operator make a bot."""
        name = f"bot.{next(_numbers)}"
        return cls.with_key(world, operate(world, "create_bot", name, *arguments))

    @classmethod
    def with_key(cls, world: World, key: str) -> "Bot":
        """Be the bot that has this key."""
        assert KEY.fullmatch(key)
        secrets_seen.add(key)
        bot = cls(world.server.url, {"access": key})
        return cls(world.server.url, {"access": key, "user": bot.get("/me")})


@pytest.fixture
def bot(world: World) -> Bot:
    """A bot."""
    return Bot.made(world, "--display-name", "The Bot")


async def test_a_bot_is_a_user_wherever_its_key_is_shown(
    world: World, bot: Bot, alice: Person
) -> None:
    me = bot.get("/me")
    assert (me["username"], me["display_name"], me["is_bot"]) == (bot.name, "The Bot", True)
    (session,) = bot.get("/auth/sessions")["items"]
    assert session["device"] == f"key {bot.tokens['access'].split('_')[1]}"
    room = alice.create_room(bot)["id"]
    key = bot.tokens["access"]
    by_query = Socket(f"{bot.ws}/ws/?token={key}")
    by_protocol = Socket(f"{bot.ws}/ws/", subprotocols=["gapless.v1", f"bearer.{key}"])
    by_frame = Socket(f"{bot.ws}/ws/")
    async with bot.socket() as by_header, by_query, by_protocol, by_frame:
        await by_frame.command("auth", token=key)
        for socket in (by_header, by_query, by_protocol, by_frame):
            await socket.opened()
            assert socket.hello["user"] == profile(me)
            assert socket.hello["expires_in"] > 3_000_000_000
        said = await by_header.ok("message.send", room_id=room, text="hello")
        assert said["message"]["sender"]["is_bot"] is True
        token = bot.expect(201, "POST", "/auth/socket-token")["token"]
        async with Socket(f"{bot.at(world.other.url).ws}/ws/?token={token}") as other:
            assert (await other.opened()).hello["user"] == profile(me)


@one_world
def test_a_bot_has_no_password(bot: Bot) -> None:
    nobody = Person(bot.url, {})
    for password in (PASSWORD, "", "!", bot.tokens["access"]):
        body = {"username": bot.name, "password": password}
        assert nobody.call("POST", "/auth/login", json=body).json()["code"] in (
            "invalid_credentials",
            "invalid_request",
        )


def changed(key: str) -> list[str]:
    """Return keys that are nearly this one."""
    head, prefix, secret = key.split("_", 2)
    near = [
        f"{head}_{altered(prefix)}_{secret}",
        f"{head}_{prefix}_{'A' * 43}",
        f"{head}_{prefix}_{altered(secret, -1)}",
        f"{head}_{prefix}_{secret}A",
        f"{head}_{prefix}_",
        f"{head}_{prefix.upper()}_{secret}",
        key.upper(),
        secret,
        prefix,
    ]
    return [other for other in near if other != key]  # a prefix may have no letter in it


async def test_a_forged_key_is_answered_as_every_bad_token(bot: Bot) -> None:
    expected = Person(bot.url, {"access": "nonsense"}).call("GET", "/me").json()
    del expected["request_id"]
    for key in changed(bot.tokens["access"]):
        problem = Person(bot.url, {"access": key}).call("GET", "/me").json()
        del problem["request_id"]
        assert problem == expected
        async with Socket(f"{bot.ws}/ws/?token={key}") as socket:
            bye, code = await socket.closed()
            assert (bye["reason"], code) == ("invalid_token", 4301)


@pytest.mark.parametrize(
    "command", [("revoke_bot_key",), ("disable_user",), ("create_bot", "--new-key")]
)
async def test_what_ends_a_key_ends_its_sockets_at_once(
    world: World, bot: Bot, command: tuple[str, ...]
) -> None:
    async with bot.socket() as socket, bot.at(world.other.url).socket() as other:
        await socket.opened()
        await other.opened()
        name, *flags = command
        said = await asyncio.to_thread(operate, world, name, bot.name, *flags)
        for one in (socket, other):
            assert await one.closed(5) == REVOKED
    bot.refused(401, "session_revoked", "GET", "/me")
    async with bot.socket() as socket:
        assert await socket.closed() == REVOKED
    if flags:
        again = Bot.with_key(world, said)
        assert again.id == bot.id
        assert len(again.get("/auth/sessions")["items"]) == 1


@one_world
def test_a_key_that_was_revoked_may_be_replaced(world: World, bot: Bot) -> None:
    assert operate(world, "revoke_bot_key", bot.name) == f"{bot.name} has no key any more."
    assert operate(world, "revoke_bot_key", bot.name) == f"{bot.name} has no key any more."
    assert Bot.with_key(world, operate(world, "create_bot", bot.name, "--new-key")).id == bot.id


@one_world
def test_a_key_is_stored_as_a_hash_and_no_log_has_it(
    clustered: World, world: World, alice: Person
) -> None:
    bot = Bot.made(clustered)
    secret = bot.tokens["access"].split("_", 2)[2]
    assert clustered.postgres_url
    with psycopg.connect(clustered.postgres_url) as database:
        kept: Any = database.execute("SELECT * FROM accounts_botkey").fetchall()
    assert kept
    assert secret.encode() not in b"".join(
        bytes(str(value), "utf-8") for row in kept for value in row
    )
    logs = [path.read_text(errors="replace") for path in secrets_seen.LOGS.glob("*.log")]
    assert not any(secret in text for text in logs)


@one_world
def test_what_cannot_be_done_is_said(world: World, alice: Person, bot: Bot) -> None:
    for arguments, said in (
        (("create_bot", alice.name), "taken"),
        (("create_bot", bot.name), "taken"),
        (("create_bot", "a b"), "3 to 32 characters"),
        (("create_bot", "nobody.at.all", "--new-key"), "There is nobody called nobody.at.all."),
        (("create_bot", alice.name, "--new-key"), "is a person"),
        (("revoke_bot_key", alice.name), "is a person"),
        (("revoke_bot_key", "nobody.at.all"), "There is nobody called nobody.at.all."),
    ):
        done = world.manage(*arguments)
        assert done.returncode == 1
        assert (said in done.stderr, done.stdout) == (True, ""), done.stderr
    alice.get("/me")


@pytest.mark.django_db(transaction=True)
def test_a_bot_has_one_key_however_many_are_asked_for_at_once() -> None:
    bot, _ = bots.create_bot(username="a.bot", display_name=None)

    def replace() -> str:
        try:
            return bots.replace_key(bot_id=bot.id)
        finally:
            connection.close()

    keys = at_once(*[replace] * 8)
    assert len(set(keys)) == 8
    assert Session.objects.filter(user=bot, revoked_at=None).count() == 1
    assert BotKey.objects.count() == 9
    person = User.objects.create(username="ann", skeleton="ann")
    refused: list[type[ChatError]] = []
    for act in (
        lambda: bots.replace_key(bot_id=person.id),
        lambda: bots.create_bot(username="a.b0t", display_name=None),
    ):
        with pytest.raises(ChatError) as error:
            act()
        refused.append(error.type)
    assert refused == [Conflict, UsernameTaken]
