"""``manage.py serve``: what it promises beyond the contract, seen from the wire."""

import contextlib
import hashlib
import json
import resource
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import websockets
from django.contrib.staticfiles import finders
from websockets.exceptions import InvalidStatus

from tests.clients import Person, http
from tests.servers import Server, World

BUNDLE = "drf_spectacular_sidecar/swagger-ui-dist/swagger-ui-bundle.js"
UNFINISHED = 540  # requests, more than a process lets wait for its threads


@pytest.fixture
def server(embedded: World) -> Server:
    """A server that is up already."""
    return embedded.server


@pytest.fixture
def dora(embedded: World) -> Person:
    """Dora has an account."""
    return Person.register(embedded.server.url, "dora")


@contextlib.contextmanager
def raw(server: Server) -> Iterator[socket.socket]:
    """Connect without any client."""
    with socket.create_connection(("127.0.0.1", server.port), 10) as made:
        yield made


def request(method: str, path: str, *headers: str) -> bytes:
    """Write the head of a request."""
    lines = [f"{method} {path} HTTP/1.1", "Host: 127.0.0.1", *headers]
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


def answer_to(connection: socket.socket) -> tuple[int, dict[str, str], bytes]:
    """Read one answer that has a length; return status, headers and body."""
    with connection.makefile("rb") as stream:
        status = int(stream.readline().split()[1])
        headers: dict[str, str] = {}
        while line := stream.readline().strip():
            name, _, value = line.decode().partition(":")
            headers[name.lower()] = value.strip()
        return status, headers, stream.read(int(headers["content-length"]))


def check_too_large(connection: socket.socket) -> None:
    """Expect the problem that says so."""
    status, headers, body = answer_to(connection)
    assert (status, headers["content-type"]) == (413, "application/problem+json")
    problem = json.loads(body)
    assert (problem["code"], problem["request_id"]) == (
        "payload_too_large",
        headers["x-request-id"],
    )


@pytest.mark.parametrize("expect", [(), ("Expect: 100-continue",)])
def test_body_declared_too_large_is_refused_before_it_is_sent(
    server: Server, expect: tuple[str, ...]
) -> None:
    with raw(server) as connection:
        head = ("Content-Type: application/json", "Content-Length: 131073", *expect)
        connection.sendall(request("POST", "/api/v1/auth/login", *head))
        check_too_large(connection)


def test_chunked_body_is_refused_as_soon_as_it_is_too_large(server: Server) -> None:
    with raw(server) as connection:
        head = ("Content-Type: application/json", "Transfer-Encoding: chunked")
        connection.sendall(request("POST", "/api/v1/auth/login", *head))
        for _ in range(129):
            connection.sendall(b"400\r\n" + b" " * 1024 + b"\r\n")
        check_too_large(connection)


def test_chunked_body_within_the_limit_is_read(server: Server, dora: Person) -> None:
    with raw(server) as connection:
        token = f"Authorization: Bearer {dora.tokens['access']}"
        head = ("Content-Type: application/json", "Transfer-Encoding: chunked", token)
        connection.sendall(request("PATCH", "/api/v1/me", *head))
        for part in (b'{"display_', b'name": "Do', b'ra"}'):
            connection.sendall(b"%x\r\n%b\r\n" % (len(part), part))
        connection.sendall(b"0\r\n\r\n")
        status, _, body = answer_to(connection)
        assert (status, json.loads(body)["display_name"]) == (200, "Dora")


def test_those_who_do_not_finish_their_requests_take_nobodys_place(server: Server) -> None:
    with contextlib.ExitStack() as stack:
        head = ("Content-Length: 2", "Expect: 100-continue")
        for _ in range(UNFINISHED):
            connection = stack.enter_context(raw(server))
            connection.sendall(request("POST", "/api/v1/auth/login", *head))
            assert connection.recv(100) == b"HTTP/1.1 100 Continue\r\n\r\n"
        assert http.get(server.url + "/readyz").status_code == 200


@pytest.mark.parametrize("path", ["/healthz", "/readyz", "/api/v1", "/openapi.yaml", "/nowhere"])
def test_head_is_get_without_the_body(server: Server, path: str) -> None:
    got, headed = http.get(server.url + path), http.head(server.url + path)
    assert (headed.status_code, headed.content) == (got.status_code, b"")
    for name in ("content-length", "content-type"):
        assert headed.headers[name] == got.headers[name]


def test_large_static_file_arrives_whole(server: Server) -> None:
    found = finders.find(BUNDLE)
    assert isinstance(found, str)
    content = Path(found).read_bytes()
    assert len(content) > 2**20
    got = http.get(f"{server.url}/static/{BUNDLE}", headers={"Accept-Encoding": "identity"})
    assert hashlib.sha256(got.content).digest() == hashlib.sha256(content).digest()
    headed = http.head(f"{server.url}/static/{BUNDLE}", headers={"Accept-Encoding": "identity"})
    assert (headed.headers["content-length"], headed.content) == (str(len(content)), b"")


async def test_frames_are_not_compressed_though_a_client_offers_it(dora: Person) -> None:
    headers = {"Authorization": f"Bearer {dora.tokens['access']}"}
    async with websockets.connect(
        f"{dora.ws}/ws/", additional_headers=headers, compression="deflate"
    ) as connection:
        assert connection.protocol.extensions == []
        assert connection.response is not None
        assert "server" not in connection.response.headers


@pytest.mark.parametrize("key", ["Sec-WebSocket-Version", "Sec-WebSocket-Key"])
async def test_handshake_that_is_none_is_refused_without_naming_the_server(
    dora: Person, key: str
) -> None:
    headers: Any = {key: "nonsense"}
    with pytest.raises(InvalidStatus) as refused:
        async with websockets.connect(f"{dora.ws}/ws/", additional_headers=headers):
            pass
    assert refused.value.response.status_code in (400, 426)
    assert "server" not in refused.value.response.headers


@pytest.mark.parametrize("sent", [b"nonsense\r\n\r\n", request("GET", "/\xff")])
def test_what_is_no_request_is_refused_without_naming_the_server(
    server: Server, sent: bytes
) -> None:
    with raw(server) as connection:
        connection.sendall(sent)
        status, headers, _ = answer_to(connection)
        assert status == 400
        assert "server" not in headers


async def test_text_that_is_no_utf8_closes_the_socket_as_the_rfc_says(dora: Person) -> None:
    async with dora.socket() as socket:
        await socket.opened()
        await socket.connection.send(b"\xff\xfe", text=True)
        assert await socket.closed() == ({}, 1007)


def test_as_many_files_may_be_open_as_the_system_allows(embedded: World) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    low = min(512, hard)
    resource.setrlimit(resource.RLIMIT_NOFILE, (low, hard))
    try:
        with embedded.beside({}) as server:
            limits = Path(f"/proc/{server.process.pid}/limits").read_text()
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    (line,) = [line for line in limits.splitlines() if line.startswith("Max open files")]
    assert line.split()[3:5] == [str(hard)] * 2
