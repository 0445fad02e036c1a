"""The request that sends a file: its form, how large and how often it may come, sent twice."""

import socket
from typing import Any

import pytest

from tests.clients import Person, at_once
from tests.pictures import picture
from tests.servers import World, one_world
from tests.test_uploads import refused

MEBIBYTE = 1024 * 1024


@one_world
def test_a_form_has_one_file_with_a_name_and_nothing_else(alice: Person) -> None:
    file = ("a.txt", b"text")
    forms: list[Any] = [
        {"files": {"other": file}},
        {"files": [("file", file), ("file", file)]},
        {"files": [("file", file), ("more", file)]},
        {"files": {"file": file}, "data": {"more": "x"}},
        {"files": {"file": file}, "data": {"file": "x"}},
        {"files": {"file": file}, "params": {"more": "x"}},
        {"files": {"x": (None, b"text")}},
        {"files": {"file": (None, b"text")}},
    ]
    for options in forms:
        assert alice.expect(400, "POST", "/uploads", **options)["code"] == "invalid_request"
    no_forms: list[Any] = [
        {"json": {"file": "x"}},
        {"content": b"text"},
        {"data": {"file": "x"}},
        {},
    ]
    for options in no_forms:
        problem = alice.expect(415, "POST", "/uploads", **options)
        assert problem["code"] == "unsupported_media_type"


@one_world
@pytest.mark.parametrize(
    ("form", "content"),
    [
        ("multipart/form-data", b"--x"),
        ("multipart/form-data; boundary=", b"--x"),
        ("multipart/form-data; boundary=x", b""),
        ("multipart/form-data; boundary=x", b"--x\r\n"),
        ("multipart/form-data; boundary=x", b"no form at all"),
        ("multipart/form-data; boundary=" + "x" * 300, b"--x"),
        (
            "multipart/form-data; boundary=x",
            b"--x\r\nContent-Disposition: form-data; name=file; filename*=no-such''a\r\n\r\n"
            b"a\r\n--x--",
        ),
        (
            "multipart/form-data; boundary=x",
            b"--x\r\nContent-Disposition: form-data; name=file; filename=a.txt\r\n"
            b"Content-Transfer-Encoding: base64\r\n\r\n!!!\r\n--x--",
        ),
        (
            "multipart/form-data; boundary=x",
            b"".join(
                b'--x\r\nContent-Disposition: form-data; name="f"; filename="a"\r\n\r\na\r\n'
                for _ in range(101)
            )
            + b"--x--",
        ),
    ],
)
def test_a_form_that_is_none_is_refused(alice: Person, form: str, content: bytes) -> None:
    headers = {"Content-Type": form}
    problem = alice.expect(400, "POST", "/uploads", content=content, headers=headers)
    assert problem["code"] == "invalid_request"


@one_world
def test_a_field_that_is_no_file_is_bounded_as_every_body(alice: Person) -> None:
    answer = alice.call("POST", "/uploads", files={"x": (None, b"x" * 200_000)})
    assert (answer.status_code, answer.json()["code"]) == (413, "payload_too_large")


@pytest.mark.parametrize("handler", ["pool", "django"])
def test_a_file_has_as_many_bytes_as_it_may_and_not_one_more(embedded: World, handler: str) -> None:
    with embedded.beside({"upload_bytes": MEBIBYTE}, HTTP_HANDLER=handler) as server:
        alice = Person.register(server.url, "alice")
        assert alice.upload("a.bin", b"x" * MEBIBYTE)["size"] == MEBIBYTE
        for size in (MEBIBYTE + 1, MEBIBYTE + 17_000, 3 * MEBIBYTE):
            assert refused(alice, "a.bin", b"x" * size, 413)["code"] == "payload_too_large"


@one_world
def test_what_is_too_large_is_refused_before_it_has_come(alice: Person, world: World) -> None:
    """Nothing of 20 MiB is sent where that is declared, and no more than 10 MiB where not."""
    for framing in ("Content-Length: 20971520", "Transfer-Encoding: chunked"):
        head = (
            "POST /api/v1/uploads HTTP/1.1\r\nHost: 127.0.0.1\r\n"
            f"Authorization: Bearer {alice.tokens['access']}\r\n"
            f"Content-Type: multipart/form-data; boundary=x\r\n{framing}\r\n\r\n"
        )
        with socket.create_connection(("127.0.0.1", world.server.port), 10) as connection:
            connection.sendall(head.encode())
            if "chunked" in framing:
                part = b"10000\r\n" + b"x" * 65_536 + b"\r\n"
                for _ in range(161):
                    connection.sendall(part)
            connection.settimeout(10)
            assert connection.recv(100).startswith(b"HTTP/1.1 413 ")


@one_world
def test_nothing_is_read_of_who_is_not_signed_in(world: World) -> None:
    head = (
        "POST /api/v1/uploads HTTP/1.1\r\nHost: 127.0.0.1\r\nExpect: 100-continue\r\n"
        "Content-Type: multipart/form-data; boundary=x\r\nContent-Length: 9000000\r\n\r\n"
    )
    with socket.create_connection(("127.0.0.1", world.server.port), 10) as connection:
        connection.sendall(head.encode())
        assert connection.recv(100).startswith(b"HTTP/1.1 401 ")


@one_world
def test_the_same_key_keeps_a_file_once(alice: Person) -> None:
    key = {"Idempotency-Key": "one"}
    first = alice.upload("a.txt", b"text", headers=key)
    again = alice.call("POST", "/uploads", files={"file": ("a.txt", b"text")}, headers=key)
    assert (again.status_code, again.json()) == (201, first)
    assert again.headers["idempotent-replayed"] == "true"
    for file in (("a.txt", b"other"), ("b.txt", b"text")):
        options: Any = {"files": {"file": file}, "headers": key}
        problem = alice.expect(409, "POST", "/uploads", **options)
        assert problem["code"] == "idempotency_conflict"


def test_uploads_and_their_bytes_are_limited(embedded: World) -> None:
    rates = {"uploads_per_hour": 1, "uploads_burst": 2}
    volume = {"upload_volume_per_hour": 1, "upload_volume_burst": 100, "upload_bytes": 100}
    for limits, content in ((rates, b"x"), (volume, b"x" * 50)):
        with embedded.beside(limits) as server:
            alice = Person.register(server.url, "alice")
            for _ in range(2):
                alice.upload("a.bin", content)
            answer = alice.call("POST", "/uploads", files={"file": ("a.bin", content)})
            assert (answer.status_code, answer.json()["code"]) == (429, "rate_limited")
            assert int(answer.headers["retry-after"]) > 60
            Person.register(server.url, "bob").upload("a.bin", content)


@one_world
def test_one_person_sends_five_at_once_and_no_more(alice: Person, world: World) -> None:
    head = (
        "POST /api/v1/uploads HTTP/1.1\r\nHost: 127.0.0.1\r\n"
        f"Authorization: Bearer {alice.tokens['access']}\r\nExpect: 100-continue\r\n"
        "Content-Type: multipart/form-data; boundary=x\r\nContent-Length: 9000000\r\n\r\n"
    )
    held = []
    for _ in range(5):
        connection = socket.create_connection(("127.0.0.1", world.server.port), 10)
        connection.sendall(head.encode())
        assert connection.recv(100) == b"HTTP/1.1 100 Continue\r\n\r\n"
        held.append(connection)
    problem = refused(alice, "a.txt", b"text", 429)
    assert problem["detail"] == "At most 5 uploads at once."
    Person.register(alice.url, "bob").upload("a.txt", b"text")
    for connection in held:
        connection.close()
    answers = [429]
    while 429 in answers:  # until the server has noticed that they are gone
        answers = [alice.call("POST", "/uploads", files={"file": ("a", b"x")}).status_code]
    assert answers == [201]


@one_world
def test_many_uploads_at_once_are_all_kept(alice: Person) -> None:
    people = [alice, *(Person.register(alice.url, f"p{number}") for number in range(9))]
    found = at_once(*[lambda person=person: person.upload("a.png", picture()) for person in people])
    assert len({item["id"] for item in found}) == 10
