"""What may happen between a permission and its use: sign-ins and streams of ended sessions."""

import asyncio

import psycopg
import pytest

from accounts import sessions
from accounts.actions import register
from api import access
from api.errors import SessionRevoked
from tests.clients import PASSWORD, Person, http
from tests.locks import wait_for_locks
from tests.servers import World


@pytest.mark.django_db(transaction=True)
def test_an_ended_session_is_not_given_its_own_stream_again() -> None:
    signed_in = register(
        username="alice", password=PASSWORD, display_name=None, device="", address=""
    )
    session = signed_in.session
    granted = access.readable(session.user_id, session.id, [session.user_id])
    assert granted == {session.user_id: access.Grant(head=0)}
    sessions.logout(user_id=session.user_id, session_id=session.id)
    with pytest.raises(SessionRevoked):
        access.readable(session.user_id, session.id, [session.user_id])


async def test_a_sign_in_that_waits_while_the_password_changes_is_refused(
    clustered: World,
) -> None:
    alice = Person.register(clustered.server.url, "alice")
    body = {"username": alice.name, "password": PASSWORD}
    assert clustered.postgres_url is not None
    with (
        psycopg.connect(clustered.postgres_url) as holder,
        psycopg.connect(clustered.postgres_url, autocommit=True) as watcher,
    ):
        holder.execute(
            "UPDATE accounts_user SET password = 'argon2$changed' WHERE id = %s", [alice.id]
        )
        signing_in = asyncio.create_task(
            asyncio.to_thread(http.post, alice.url + "/api/v1/auth/login", json=body)
        )
        await asyncio.to_thread(wait_for_locks, watcher, 1)
        holder.commit()
        answer = await signing_in
    assert (answer.status_code, answer.json()["code"]) == (401, "invalid_credentials")
    assert len(alice.get("/auth/sessions")["items"]) == 1
