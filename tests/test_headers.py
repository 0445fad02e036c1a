"""Headers: what every kind of answer carries, and what no request header can change.

The naive form leaves the answers to the framework: what the server itself makes, and files, then
go out bare. And a server that believes its proxy's headers believes anybody's.
"""

import secrets
import socket
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from tests.clients import PASSWORD, Person, http
from tests.servers import Server, World

STRICT = "default-src 'none'; frame-ancestors 'none'"
UPGRADE = "Host: 127.0.0.1\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
KEY = "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n"
HANDSHAKE = f"{UPGRADE}{KEY}Sec-WebSocket-Version: 13\r\n"
LONG = "x" * 9_000


def raw(server: Server, head: str) -> tuple[int, dict[str, str]]:
    """Send the head of a request as it is; return the status and the headers, by lower case."""
    with socket.create_connection(("127.0.0.1", server.port), 10) as connection:
        connection.sendall(head.encode("latin-1") + b"\r\n")
        with connection.makefile("rb") as stream:
            status = int(stream.readline().split()[1])
            lines = iter(stream.readline, b"\r\n")
            pairs = [line.decode("latin-1").rstrip("\r\n").split(": ", 1) for line in lines]
    names = [name.lower() for name, _ in pairs]
    assert len(names) == len(set(names)), "none is said twice"
    return status, {name.lower(): value for name, value in pairs}


ANSWERS = [
    ("GET /api/v1 HTTP/1.1\r\nHost: 127.0.0.1\r\n", 200),
    ("GET /healthz HTTP/1.0\r\n", 200),
    ("GET /metrics HTTP/1.1\r\nHost: 127.0.0.1\r\n", 200),
    ("GET /nowhere HTTP/1.1\r\nHost: 127.0.0.1\r\n", 404),
    ("GET /api/v1/me HTTP/1.1\r\nHost: 127.0.0.1\r\n", 401),
    ("DELETE /api/v1/me HTTP/1.1\r\nHost: 127.0.0.1\r\n", 401),
    ("GET /api/v1 HTTP/1.1\r\nHost: elsewhere.example\r\n", 400),
    ("GET /api/v1?%ff=\xff HTTP/1.1\r\nHost: 127.0.0.1\r\n", 400),
    ("GET /api/v1?a=b HTTP/1.1\r\nHost: 127.0.0.1\r\n", 400),
    ("POST /api/v1/rooms HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 999999\r\n", 413),
    ("OPTIONS /api/v1/me HTTP/1.1\r\nHost: 127.0.0.1\r\n", 401),
    ("GET /static/nothing.js HTTP/1.1\r\nHost: 127.0.0.1\r\n", 404),
    ("GET /ws/ HTTP/1.1\r\nHost: 127.0.0.1\r\n", 404),
    ("GET /api/v1 HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n", 200),
    # the server's own
    ("nonsense\r\n", 400),
    ("GET / HTTP/9.9\r\n", 400),
    ("GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nno colon\r\n", 400),
    ("GET / HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n", 400),
    ("GET / HTTP/1.1\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n", 400),
    (f"GET /ws/ HTTP/1.1\r\n{UPGRADE}", 400),
    (f"GET /ws/ HTTP/1.1\r\n{UPGRADE}{KEY}Sec-WebSocket-Version: 8\r\n", 400),
    (f"GET /ws/ HTTP/1.1\r\n{UPGRADE}Sec-WebSocket-Key: x\r\nSec-WebSocket-Version: 13\r\n", 400),
    (f"POST /ws/ HTTP/1.1\r\n{HANDSHAKE}", 405),
    (f"GET /ws/?{LONG} HTTP/1.1\r\n{HANDSHAKE}", 414),
    (f"GET /ws/ HTTP/1.1\r\n{HANDSHAKE}Origin: https://{LONG}\r\n", 431),
    (f"GET /ws/ HTTP/1.1\r\n{HANDSHAKE}{'X-A: b' * 1}\r\n" + "X-A: b\r\n" * 130, 431),
]


@pytest.mark.parametrize(("head", "status"), ANSWERS, ids=lambda value: str(value)[:60])
def test_every_kind_of_answer_has_them(embedded: World, head: str, status: int) -> None:
    found, headers = raw(embedded.server, head)
    assert found == status
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "no-referrer"
    assert headers["x-request-id"]
    assert headers["cache-control"] == "no-store"
    assert headers["content-security-policy"] == STRICT
    assert not {"server", "x-powered-by", "set-cookie"} & set(headers)


@pytest.mark.parametrize("path", ["/docs", "/openapi.yaml", "/asyncapi.yaml", "/static/docs.js"])
def test_what_is_public_may_be_kept_and_has_the_others(embedded: World, path: str) -> None:
    status, headers = raw(embedded.server, f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\n")
    assert status == 200
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "no-referrer"
    assert headers["content-security-policy"].startswith("default-src 'none'; ")
    assert "frame-ancestors 'none'" in headers["content-security-policy"]
    assert ("no-store" in headers["cache-control"]) is (path == "/docs")
    assert not {"server", "x-powered-by", "set-cookie"} & set(headers)


# --- https ----------------------------------------------------------------------------------


@pytest.fixture(scope="module", params=["0", "1"])
def deployed(embedded: World, request: pytest.FixtureRequest) -> Iterator[tuple[Server, bool]]:
    """A server of production, directly reached or behind a proxy."""
    production = {
        "ENVIRONMENT": "production",
        "SECRET_KEY": secrets.token_hex(32),
        "JWT_SIGNING_KEY": secrets.token_hex(32),
        "ALLOWED_HOSTS": "127.0.0.1",
        "TRUSTED_PROXY_COUNT": request.param,
    }
    with embedded.beside({}, **production) as server:
        yield server, request.param == "1"


@pytest.mark.parametrize(("path", "status"), [("", 200), ("/me", 401), ("/rooms", 413)])
@pytest.mark.parametrize("scheme", ["https", "http", None])
def test_browsers_are_told_to_keep_to_https_where_the_proxy_says_that_they_do(
    deployed: tuple[Server, bool], path: str, status: int, scheme: str | None
) -> None:
    server, proxied = deployed
    headers = {} if scheme is None else {"X-Forwarded-Proto": scheme}
    content = b" " * 200_000 if status == 413 else b""
    method = "POST" if content else "GET"
    url = f"{server.url}/api/v1{path}"
    answer = http.request(method, url, headers=headers, content=content)
    assert answer.status_code == status
    told = answer.headers.get("strict-transport-security")
    assert told == ("max-age=31536000" if proxied and scheme == "https" else None)


# --- what is not believed -------------------------------------------------------------------

INERT = [
    ("Daphne-Root-Path", "/api"),
    ("X-Script-Name", "/api"),
    ("Script-Name", "/api"),
    ("X-Forwarded-Prefix", "/api"),
    ("X-Forwarded-Path", "/healthz"),
    ("X-Forwarded-Host", "evil.example"),
    ("X-Forwarded-Server", "evil.example"),
    ("X-Forwarded-Port", "99"),
    ("X-Forwarded-Proto", "https"),
    ("X-Forwarded-Scheme", "https"),
    ("X-Forwarded-For", "127.0.0.1"),
    ("X-Real-IP", "127.0.0.1"),
    ("X-Host", "evil.example"),
    ("X-Original-URL", "/healthz"),
    ("X-Rewrite-URL", "/healthz"),
    ("X-Original-Host", "evil.example"),
    ("X-HTTP-Method-Override", "DELETE"),
    ("X-HTTP-Method", "DELETE"),
    ("X-Method-Override", "DELETE"),
    ("X-Remote-User", "admin"),
    ("Remote-User", "admin"),
    ("X-Accel-Redirect", "/etc/passwd"),
    ("X-Sendfile", "/etc/passwd"),
    ("Forwarded", "for=127.0.0.1;host=evil.example;proto=https"),
    ("Authorization_", "Bearer x"),
]
OWN = {"x-request-id", "date"}


@pytest.fixture(scope="module")
def dora(embedded: World) -> Person:
    """Dora has an account."""
    return Person.register(embedded.server.url, "dora")


def seen(answer: httpx.Response) -> Any:
    """Return all of an answer but what is its own."""
    kept = {name: value for name, value in answer.headers.items() if name not in OWN}
    body = answer.json()
    body.pop("request_id", None)
    return answer.status_code, kept, body


@pytest.mark.parametrize(("name", "value"), INERT)
def test_a_header_of_proxies_changes_nothing(dora: Person, name: str, value: str) -> None:
    for method, path in (("GET", "/me"), ("GET", "/nothing"), ("POST", "/auth/logout-all/x")):
        plain = seen(dora.call(method, path))
        assert seen(dora.call(method, path, headers={name: value})) == plain


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("X-Forwarded-For", "203.0.113.7"),
        ("X-Real-IP", "203.0.113.7"),
        ("Forwarded", "for=203.0.113.7"),
    ],
)
def test_without_a_proxy_of_ours_nobody_says_where_a_client_is(
    dora: Person, name: str, value: str
) -> None:
    login = {"username": dora.name, "password": PASSWORD}
    found = dora.expect(200, "POST", "/auth/login", json=login, headers={name: value})
    assert found["session"]["address"] == "127.0.0.1"
