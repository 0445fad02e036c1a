"""Bad bodies: each is refused with a problem that says what and where, and writes nothing."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from tests.clients import PASSWORD, Person
from tests.servers import World

LIMIT = 128 * 1024
GHOST = "01890000-0000-7000-8000-000000000000"
ROOM = {"name": "room", "kind": "private"}


@pytest.fixture(scope="module")
def dora(embedded: World) -> Person:
    """Dora owns one room; what is refused changes neither her rooms nor its stream."""
    person = Person.register(embedded.server.url, "dora")
    person.create_room()
    return person


def state(person: Person) -> Any:
    synced = person.get("/sync")
    return [synced["me"], synced["rooms"], synced["inbox"]]


def refusal(person: Person, status: int, code: str, method: str, path: str, **options: Any) -> Any:
    """Make a request that is refused and must change nothing."""
    before = state(person)
    problem = person.refused(status, code, method, path, **options)
    assert (problem["status"], problem["retryable"]) == (status, False)
    assert state(person) == before
    return problem


def nested(depth: int) -> bytes:
    """Return a room whose body is nested so deep."""
    inner = b"[" * (depth - 2) + b"]" * (depth - 2)
    return b'{"name":"room","kind":"private","metadata":{"deep":%s}}' % inner


def with_metadata(value: str) -> bytes:
    return b'{"name":"room","kind":"private","metadata":{"n":%s}}' % value.encode()


MALFORMED = {
    "half": b'{"name": "room"',
    "two": b'{"name":"room","kind":"private"} {}',
    "python": b"{'name': 'room', 'kind': 'private'}",
    "comma": b'{"name":"room","kind":"private",}',
    "comment": b'{"name":"room"/**/,"kind":"private"}',
    "control character": b'{"name":"ro\nom","kind":"private"}',
    "bad escape": b'{"name":"\\x41","kind":"private"}',
    "latin-1": '{"name":"rööm","kind":"private"}'.encode("latin-1"),
    "overlong": b'{"name":"\xc0\xaf","kind":"private"}',
    "encoded surrogate": b'{"name":"\xed\xa0\x80","kind":"private"}',
    "utf-16": '{"name":"room","kind":"private"}'.encode("utf-16"),
    "byte order mark": b"\xef\xbb\xbf" + json.dumps(ROOM).encode(),
    "octal": with_metadata("017"),
    "plus": with_metadata("+1"),
    "bare point": with_metadata(".5"),
    "words": b"name=room&kind=private",
    "blank": b" \n\t",
}


@pytest.mark.parametrize("kind", MALFORMED)
def test_what_is_no_json_is_malformed(dora: Person, kind: str) -> None:
    problem = refusal(dora, 400, "malformed_json", "POST", "/rooms", content=MALFORMED[kind])
    assert "errors" not in problem


DISPUTED = {
    "key twice": b'{"name":"a","name":"room","kind":"private"}',
    "key twice inside": with_metadata('{"a":1,"a":1}'),
    "key twice once unescaped": with_metadata('{"a":1,"\\u0061":1}'),
    "NaN": with_metadata("NaN"),
    "Infinity": with_metadata("Infinity"),
    "-Infinity": with_metadata("-Infinity"),
    "too large for a double": with_metadata("1e309"),
    "too large for an integer": with_metadata(str(2**53)),
    "too small for an integer": with_metadata(str(-(2**53))),
    "digits": with_metadata("9" * 5_000),
    "NUL": b'{"name":"a\\u0000b","kind":"private"}',
    "NUL in a key": with_metadata('{"\\u0000":1}'),
    "high surrogate": b'{"name":"\\ud83e","kind":"private"}',
    "low surrogate": with_metadata('"\\udd89"'),
    "surrogates swapped": with_metadata('"\\udd89\\ud83e"'),
    "surrogate in a key": with_metadata('{"\\ud83e":1}'),
    "33 deep": nested(33),
    "1,000 deep": nested(1_000),
    "60,000 deep": nested(60_000),
    "100,000 open": b"[" * 100_000,
    "20,000 objects open": b'{"a":' * 20_000,
}


@pytest.mark.parametrize("kind", DISPUTED)
def test_what_parsers_disagree_about_is_refused(dora: Person, kind: str) -> None:
    problem = refusal(dora, 400, "invalid_request", "POST", "/rooms", content=DISPUTED[kind])
    assert [fault["pointer"] for fault in problem["errors"]] == [""]


@pytest.mark.parametrize(
    "value",
    [*("9007199254740991", "-9007199254740991", "1.5", "-0.5", "1e22", "0.1"), '"\\ud83e\\udd89"'],
)
def test_what_is_just_allowed_comes_back_the_same(dora: Person, value: str) -> None:
    metadata = {"n": json.loads(value)}
    room = dora.expect(201, "POST", "/rooms", content=with_metadata(value))
    assert room["metadata"] == metadata
    assert dora.get(f"/rooms/{room['id']}")["metadata"] == metadata


def test_32_levels_are_deep_enough(dora: Person) -> None:
    room = dora.expect(201, "POST", "/rooms", content=nested(32))
    assert room["metadata"] == json.loads(nested(32))["metadata"]


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ([], ""),
        (None, ""),
        ("room", ""),
        ({}, "/name"),
        ({"name": "room"}, "/kind"),
        (ROOM | {"name": None}, "/name"),
        (ROOM | {"name": 1}, "/name"),
        (ROOM | {"name": ["room"]}, "/name"),
        (ROOM | {"name": ""}, "/name"),
        (ROOM | {"name": " \u2003\n"}, "/name"),
        (ROOM | {"name": "x" * 101}, "/name"),
        (ROOM | {"topic": "x" * 501}, "/topic"),
        (ROOM | {"kind": "direct"}, "/kind"),
        (ROOM | {"kind": "x" * 100_000}, "/kind"),
        (ROOM | {"join": True}, "/join"),
        (ROOM | {"metadata": [1]}, "/metadata"),
        (ROOM | {"metadata": {"x": "y" * 8_192}}, "/metadata"),
        (ROOM | {"member_ids": GHOST}, "/member_ids"),
        (ROOM | {"member_ids": ["bob"]}, "/member_ids/0"),
        (ROOM | {"member_ids": [1]}, "/member_ids/0"),
        (ROOM | {"member_ids": [GHOST]}, "/member_ids/0"),
        (ROOM | {"member_ids": [GHOST] * 101}, "/member_ids"),
        (ROOM | {"id": GHOST}, "/id"),
        (ROOM | {"a/b~c`d": 1}, "/a~1b~0c`d"),
        (ROOM | {"": 1}, "/"),
        (ROOM | {"two\nlines": 1}, "/two\nlines"),
        (ROOM | {"x" * 100_000: 1}, ""),
    ],
    ids=lambda value: str(value)[:40] if isinstance(value, str) else "body",
)
def test_wrong_shape_is_pointed_at(dora: Person, body: Any, pointer: str) -> None:
    content = json.dumps(body)
    problem = refusal(dora, 400, "invalid_request", "POST", "/rooms", content=content)
    assert [fault["pointer"] for fault in problem["errors"]] == [pointer]
    assert problem["detail"] == problem["errors"][0]["detail"]
    assert len(json.dumps(problem)) < 2_000, "what was sent is not sent back"


MESSAGE = {"text": "hello"}


@pytest.mark.parametrize(
    ("fields", "pointer"),
    [
        ({"text": ""}, "/text"),
        ({"text": " \t\u3000\u2029"}, "/text"),
        ({"text": None}, "/text"),
        ({"text": "x" * 10_001}, "/text"),
        ({"client_msg_id": ""}, "/client_msg_id"),
        ({"client_msg_id": "x" * 65}, "/client_msg_id"),
        ({"client_msg_id": 7}, "/client_msg_id"),
        ({"reply_to_id": "x"}, "/reply_to_id"),
        ({"reply_to_id": GHOST}, "/reply_to_id"),
        ({"metadata": {"x": "y" * 4_096}}, "/metadata"),
        ({"metadata": "x"}, "/metadata"),
        ({"attachment_ids": [GHOST] * 11}, "/attachment_ids"),
        ({"sender": {}}, "/sender"),
    ],
    ids=lambda value: str(value)[:40],
)
def test_bad_message_takes_no_number(dora: Person, fields: dict[str, Any], pointer: str) -> None:
    room = dora.get("/rooms")["items"][0]["id"]
    problem = refusal(
        dora, 400, "invalid_request", "POST", f"/rooms/{room}/messages", json=MESSAGE | fields
    )
    assert [fault["pointer"] for fault in problem["errors"]] == [pointer]


def test_text_is_counted_in_code_points_and_ten_thousand_fit(dora: Person) -> None:
    room = dora.create_room()["id"]
    text = "🦉" * 10_000
    escaped = json.dumps({"text": text}).encode()
    assert len(escaped) < LIMIT
    sent = dora.expect(201, "POST", f"/rooms/{room}/messages", content=escaped)
    assert sent["text"] == text
    edited = dora.refused(
        400, "invalid_request", "PATCH", f"/messages/{sent['id']}", json={"text": text + "🦉"}
    )
    assert edited["errors"][0]["pointer"] == "/text"


@pytest.mark.parametrize(
    "media_type",
    [
        "text/plain",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "application/jsonp",
        "application/problem+json",
        "*/*",
    ],
)
def test_wrong_media_type_is_refused(dora: Person, media_type: str) -> None:
    refusal(
        dora,
        415,
        "unsupported_media_type",
        "POST",
        "/rooms",
        content=json.dumps(ROOM),
        headers={"Content-Type": media_type},
    )


@pytest.mark.parametrize(
    "media_type", ["application/json", "Application/JSON; charset=utf-8", "application/json ;x=y"]
)
def test_json_by_any_of_its_names_is_taken(dora: Person, media_type: str) -> None:
    headers = {"Content-Type": media_type}
    dora.expect(201, "POST", "/rooms", content=json.dumps(ROOM), headers=headers)


def pieces(body: bytes) -> Iterator[bytes]:
    """Return a body in chunks, so that it says nothing of its length."""
    for start in range(0, len(body), 10_000):
        yield body[start : start + 10_000]


@pytest.mark.parametrize("chunked", [False, True])
def test_body_that_is_too_large_is_refused_with_and_without_a_length(
    dora: Person, chunked: bool
) -> None:
    fits = json.dumps(ROOM).encode().ljust(LIMIT)
    dora.expect(201, "POST", "/rooms", content=pieces(fits) if chunked else fits)
    large = fits + b" "
    refusal(
        dora,
        413,
        "payload_too_large",
        "POST",
        "/rooms",
        content=pieces(large) if chunked else large,
    )
    nobody = Person(dora.url, {})
    login = {"username": dora.name, "password": PASSWORD}
    body = json.dumps(login).encode().ljust(LIMIT * 4)
    content = pieces(body) if chunked else body
    nobody.refused(413, "payload_too_large", "POST", "/auth/login", content=content)


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("PATCH", "/me", {"display_name": "x" * 101}),
        ("PATCH", "/me", {"username": "other"}),
        ("POST", "/rooms/direct", {"user_ids": []}),
        ("POST", "/rooms/direct", {"user_ids": [GHOST]}),
        ("POST", "/rooms/direct", {"user_ids": [GHOST] * 10}),
        ("PUT", "/read", {"rooms": {"x": 1}}),
        ("PUT", "/read", {"rooms": {GHOST: "x"}}),
        ("PUT", "/read", {"rooms": {GHOST: -1}}),
        ("POST", "/notifications/read", {"ids": "x"}),
        ("POST", "/auth/logout", {"refresh": 1}),
        ("POST", "/auth/refresh", {"refresh": "x" * 4_097}),
        ("POST", "/auth/login", {"username": "x" * 65, "password": "x"}),
        ("POST", "/auth/register", {"username": "abc", "password": "x", "device": "x" * 101}),
    ],
)
def test_every_body_is_checked_as_strictly(
    dora: Person, method: str, path: str, body: dict[str, Any]
) -> None:
    problem = refusal(dora, 400, "invalid_request", method, path, json=body)
    first = next(iter(body))
    assert problem["errors"][0]["pointer"].split("/")[1] in (first, "device")
