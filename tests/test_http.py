"""The HTTP door: what every answer carries, and who may read it; whichever handler is inside."""

import re
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from tests.clients import Person, http
from tests.contract import check_response
from tests.doors import HANDLERS
from tests.servers import World

ORIGIN = "https://app.example"


@pytest.fixture(scope="module", params=HANDLERS)
def opened(embedded: World, request: pytest.FixtureRequest) -> Iterator[str]:
    """A server that pages of another origin may talk to."""
    origins = f"{ORIGIN},http://localhost:3000"
    with embedded.beside({}, ALLOWED_ORIGINS=origins, HTTP_HANDLER=request.param) as server:
        yield server.url


@pytest.fixture
def nobody(opened: str) -> Person:
    """Nobody has no account."""
    return Person(opened, {})


@pytest.fixture
def dora(opened: str) -> Person:
    """Dora has an account, where the database does not matter."""
    return Person.register(opened, "dora")


def test_discovery_needs_no_token_and_tells_the_limits(nobody: Person) -> None:
    found = nobody.get("")
    assert found["protocols"] == ["gapless.v1"]
    assert set(found) == {"version", "protocols", "features", "limits"}
    contract = {
        "frame_bytes": 131_072,
        "body_bytes": 131_072,
        "text_characters": 10_000,
        "subscriptions": 500,
        "queue_bytes": 1_048_576,
        "socket_age": 43_200,
        "page": 200,
        "events_page": 1_000,
        "upload_bytes": 10_485_760,
    }
    assert {name: found["limits"][name] for name in contract} == contract


@pytest.mark.parametrize("given", ["a-name.of_the-client", "A" * 64])
def test_request_id_of_the_client_is_kept(nobody: Person, given: str) -> None:
    response = nobody.call("GET", "/me", headers={"X-Request-ID": given})
    assert response.headers.get_list("X-Request-ID") == [given]
    assert response.json()["request_id"] == given


@pytest.mark.parametrize("given", ["", "has space", "A" * 65, "semi;colon", 'quo"te'])
def test_request_id_that_could_do_harm_is_replaced(nobody: Person, given: str) -> None:
    response = nobody.call("GET", "/me", headers={"X-Request-ID": given})
    (made,) = response.headers.get_list("X-Request-ID")
    assert re.fullmatch("[0-9a-f]{32}", made)
    assert response.json()["request_id"] == made


@pytest.mark.parametrize("headers", [{}, {"Authorization": "Basic eDp4"}, {"Cookie": "sid=1"}])
def test_request_without_a_token_is_told_how_to_authenticate(
    nobody: Person, headers: dict[str, str]
) -> None:
    response = nobody.call("GET", "/me", headers=headers)
    assert (response.status_code, response.json()["code"]) == (401, "not_authenticated")
    assert response.headers["WWW-Authenticate"] == "Bearer"


@pytest.mark.parametrize("scheme", ["Bearer", "bearer", "BEARER"])
def test_scheme_of_the_token_has_no_case(dora: Person, scheme: str) -> None:
    headers = {"Authorization": f"{scheme} {dora.tokens['access']}"}
    assert dora.get("/me", headers=headers) == dora.user


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("GET", "/auth/register", "POST, OPTIONS"),
        ("DELETE", "/me", "GET, PATCH, HEAD, OPTIONS"),
        ("PUT", "/rooms", "GET, POST, HEAD, OPTIONS"),
        ("TRACE", "/sync", "GET, HEAD, OPTIONS"),
    ],
)
def test_method_that_is_not_allowed_is_told_which_are(
    dora: Person, method: str, path: str, allowed: str
) -> None:
    response = dora.call(method, path)
    assert (response.status_code, response.json()["code"]) == (405, "method_not_allowed")
    assert response.headers["Allow"] == allowed


def test_options_say_which_methods_there_are_and_nothing_else(dora: Person) -> None:
    response = dora.call("OPTIONS", "/rooms")
    assert (response.status_code, response.content) == (204, b"")
    assert response.headers["Allow"] == "GET, POST, HEAD, OPTIONS"


@pytest.mark.parametrize(
    "path",
    ["/nothing", "/me/", "//me", "/users/not-an-id", "/rooms/%00", "/rooms/%ff", "/%2e%2e/readyz"],
)
def test_path_that_leads_nowhere_is_a_problem_like_any_other(dora: Person, path: str) -> None:
    problem = dora.refused(404, "not_found", "GET", path)
    assert problem == {
        "type": "about:blank",
        "title": "Not Found",
        "status": 404,
        "detail": "There is no such path.",
        "code": "not_found",
        "request_id": problem["request_id"],
        "retryable": False,
    }


def test_foreign_host_name_is_a_problem_like_any_other(nobody: Person) -> None:
    nobody.refused(400, "invalid_request", "GET", "/users", headers={"Host": "elsewhere.example"})


def test_every_answer_has_its_security_headers_and_none_names_the_server(dora: Person) -> None:
    answers = [
        dora.call("GET", "/me"),
        dora.call("GET", "/nothing"),
        dora.call("DELETE", "/me"),
        dora.call("POST", "/rooms", content=b"{"),
        dora.call("POST", "/rooms", content=b" " * 200_000),
    ]
    assert [answer.status_code for answer in answers] == [200, 404, 405, 400, 413]
    for answer in answers:
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert answer.headers["Cache-Control"] == "no-store"
        assert answer.headers["Referrer-Policy"] == "no-referrer"
        assert answer.headers["Content-Security-Policy"].startswith("default-src 'none';")
        assert "Server" not in answer.headers
        assert "Set-Cookie" not in answer.headers


def preflight(url: str, origin: str) -> httpx.Response:
    wanted = {
        "Origin": origin,
        "Access-Control-Request-Method": "PATCH",
        "Access-Control-Request-Headers": "authorization,content-type,idempotency-key",
    }
    return http.options(url + "/api/v1/me", headers=wanted)


def test_preflight_of_an_allowed_origin_is_answered_for_two_hours(opened: str) -> None:
    response = preflight(opened, ORIGIN)
    cors = {name: text for name, text in response.headers.items() if name.startswith("access-")}
    assert response.status_code == 200
    assert cors == {
        "access-control-allow-origin": ORIGIN,
        "access-control-allow-methods": "DELETE, GET, OPTIONS, PATCH, POST, PUT",
        "access-control-allow-headers": "authorization, content-type, "
        "idempotency-key, x-request-id",
        "access-control-expose-headers": "X-Request-ID, Retry-After, RateLimit, RateLimit-Policy, "
        "Idempotent-Replayed, ETag",
        "access-control-max-age": "7200",
    }
    assert response.headers["Vary"] == "origin"


@pytest.mark.parametrize(
    "origin",
    ["https://app.example.evil", "http://app.example", "https://app.example:8443", "null", "x"],
)
def test_preflight_of_another_origin_is_given_nothing(opened: str, origin: str) -> None:
    response = preflight(opened, origin)
    assert not [name for name in response.headers if name.startswith("access-")]


@pytest.mark.parametrize(
    ("method", "path", "size", "status"),
    [
        ("GET", "", 0, 200),
        ("GET", "/me", 0, 401),
        ("GET", "/nothing", 0, 404),
        ("POST", "/rooms", 200_000, 413),
    ],
)
def test_allowed_origin_can_read_every_answer_errors_too(
    opened: str, method: str, path: str, size: int, status: int
) -> None:
    headers = {"Origin": ORIGIN}
    body = b" " * size
    response = http.request(method, opened + "/api/v1" + path, content=body, headers=headers)
    check_response(response)
    assert response.status_code == status
    assert response.headers["Access-Control-Allow-Origin"] == ORIGIN
    assert "X-Request-ID" in response.headers["Access-Control-Expose-Headers"]
    assert "Access-Control-Allow-Credentials" not in response.headers


@pytest.mark.parametrize(
    ("sent", "status", "code"),
    [
        ({"content": b'{"pinned": false}'}, 400, "invalid_request"),
        ({"content": b"[]"}, 400, "invalid_request"),
        ({"content": b"{not json"}, 400, "malformed_json"),
        (
            {"content": b"{}", "headers": {"Content-Type": "text/plain"}},
            415,
            "unsupported_media_type",
        ),
    ],
)
@pytest.mark.parametrize(
    ("method", "at"),
    [
        ("PUT", "/messages/{message}/pin"),
        ("DELETE", "/messages/{message}"),
        ("POST", "/rooms/{room}/leave"),
    ],
)
def test_what_takes_no_body_ignores_none(
    dora: Person, method: str, at: str, sent: dict[str, Any], status: int, code: str
) -> None:
    """Naive form: whoever deletes a message on a condition deletes it on none."""
    room = dora.create_room()["id"]
    message = dora.send(room)
    path = at.format(room=room, message=message["id"])
    headers = {"Content-Type": "application/json"} | sent.get("headers", {})
    dora.refused(status, code, method, path, content=sent["content"], headers=headers)
    assert dora.get(f"/messages/{message['id']}") == message


@pytest.mark.parametrize("content", [b"", b"{}", b" { } "])
def test_an_empty_body_is_none(dora: Person, content: bytes) -> None:
    path = f"/messages/{dora.send(dora.create_room()['id'])['id']}/pin"
    dora.expect(200, "PUT", path, content=content, headers={"Content-Type": "application/json"})
