"""Writes of bots: users without a password, who hold a key instead.

A key is a session that does not expire and has no refresh token: whatever ends sessions ends
the key, and its sockets at once.
"""

import uuid
from datetime import timedelta

from django.contrib.auth.hashers import make_password
from django.db import IntegrityError

from accounts import api_keys, sessions, usernames
from accounts.actions import new_user
from accounts.models import BotKey, Session, User
from api.clock import now
from api.errors import Conflict, UsernameTaken
from api.log.append import writing

KEY_LIFETIME = timedelta(days=36_525)  # a hundred years: nobody will see its end


def create_bot(*, username: str, display_name: str | None) -> tuple[User, str]:
    """Make a bot; return it with its key, which is not to be had a second time.

    Raises:
        InvalidRequest: the username is not acceptable.
        UsernameTaken: somebody has this name, or one that looks like it.
    """
    bot = new_user(
        username=usernames.checked(username),
        display_name=display_name or username,
        password_hash=make_password(None),
    )
    bot.is_bot = True
    try:
        with writing():
            bot.save(force_insert=True)
            return bot, _new_key(bot)
    except IntegrityError:
        raise UsernameTaken from None


def replace_key(*, bot_id: uuid.UUID) -> str:
    """Give a bot another key, and end the one it has, with its sockets.

    Raises:
        Conflict: it is no bot.
    """
    with writing():
        sessions.hold(bot_id)
        bot = _bot(bot_id)
        _end_keys(bot_id)
        return _new_key(bot)


def revoke_key(*, bot_id: uuid.UUID) -> None:
    """End the key that a bot has, with its sockets.

    Raises:
        Conflict: it is no bot.
    """
    with writing():
        sessions.hold(bot_id)
        _bot(bot_id)
        _end_keys(bot_id)


def _bot(user_id: uuid.UUID) -> User:
    user = User.objects.get(pk=user_id)
    if not user.is_bot:
        raise Conflict(f"{user.username} is a person.")
    return user


def _end_keys(bot_id: uuid.UUID) -> None:
    sessions.revoke(user_id=bot_id, session_ids=sessions.living(bot_id))


def _new_key(bot: User) -> str:
    key, moment = api_keys.new(), now()
    session = Session.objects.create(
        user=bot,
        device=f"key {key.prefix}",
        created_at=moment,
        last_used_at=moment,
        expires_at=moment + KEY_LIFETIME,
    )
    BotKey.objects.create(prefix=key.prefix, session=session, secret_hash=key.secret_hash)
    return key.text
