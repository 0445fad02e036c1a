"""Nothing secret is written into a log, however a token came and however much is logged."""

import json
import uuid
from typing import Any

import pytest

from tests import secrets_seen
from tests.clients import Person, Socket, http
from tests.servers import World, on_both_servers

SECRET = "what-nobody-should-read"


@on_both_servers
async def test_no_token_no_password_and_no_query_reaches_the_log(world: World) -> None:
    with world.beside({}, LOG_LEVEL="DEBUG") as server:
        alice = Person.register(server.url, "alice")
        socket_token = alice.expect(201, "POST", "/auth/socket-token")["token"]
        refresh = {"refresh": alice.tokens["refresh"]}
        rotated = alice.expect(200, "POST", "/auth/refresh", json=refresh)
        access = rotated["access"]
        offered: Any = ["gapless.v1", f"bearer.{access}"]
        url = f"{alice.ws}/ws/"
        async with (
            Socket(f"{url}?token={socket_token}&more={SECRET}") as by_query,
            Socket(url, subprotocols=offered) as by_protocol,
            Socket(url) as by_frame,
        ):
            await by_frame.command("auth", token=access)
            for socket in (by_query, by_protocol, by_frame):
                await socket.opened()
        async with Socket(f"{url}?token={socket_token}") as used:
            assert (await used.closed())[1] == 4301
        async with Socket(f"{alice.ws}/nowhere/?token={access}") as nowhere:
            assert (await nowhere.closed())[1] == 4003
        for path in ("/healthz", "/nowhere", "/api/v1/rooms", f"/api/v1/{SECRET}%0aa"):
            http.get(f"{server.url}{path.replace(SECRET, 'b')}?token={access}&q={SECRET}")
        login = {"username": alice.name, "password": SECRET}
        http.post(f"{server.url}/api/v1/auth/login?token={access}", json=login)
        log = server.log
    assert "/nowhere" in log, "something is logged"
    secrets = [SECRET, socket_token]
    for signed_in in (alice.tokens, rotated):
        secrets += [signed_in["access"], signed_in["refresh"]]
    for secret in secrets:
        assert secret not in log
        assert secret.rpartition(".")[2] not in log
    assert "Traceback" not in log


def test_a_log_that_told_a_secret_would_fail_the_run(monkeypatch: pytest.MonkeyPatch) -> None:
    """The naive form looks for the one token of one test in the log of one server."""
    monkeypatch.setattr(secrets_seen, "LOGS", secrets_seen.LOGS / "told")
    secrets_seen.LOGS.mkdir()
    token = f"eyJhbGciOiJIUzI1NiJ9.e30.{uuid.uuid4().hex}"
    secrets_seen.note(
        {"body": [{"password": 'nobody "says" this', "refresh": "0190.7." + "r" * 43}]}
    )
    secrets_seen.add(token)
    lines = [
        "GET /healthz",
        f"GET /ws/?token={token}&since=0",
        f'{{"message": "bearer.{token}"}}',
        token.rpartition(".")[2],
        json.dumps({"message": 'nobody "says" this'}),
        "/auth/refresh " + "r" * 43,
        "ends as it began",
    ]
    (secrets_seen.LOGS / "server-1.log").write_text("\n".join(lines))
    assert secrets_seen.leaks() == [f"server-1.log:{number}" for number in (2, 3, 4, 5, 6)]
