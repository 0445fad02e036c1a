"""Reading files: how they are told, parts of them, links with a token, what caches may do."""

import uuid
from typing import Any
from urllib.parse import quote

import httpx
import pytest

from api.attachments.ranges import Part, Unsatisfiable, part_asked_for
from tests.clients import PASSWORD, Person, Socket, http
from tests.contract import check_response
from tests.pictures import picture
from tests.servers import World, on_both_servers, one_world

CONTENT = bytes(range(256)) * 1_000
NOWHERE = uuid.UUID(int=7)
HOUSEHOLD = ("date", "server", "allow")  # of the servers and of DRF


@pytest.fixture
def file(alice: Person) -> str:
    """The path of a file of alice's."""
    return f"/attachments/{alice.upload('a.bin', CONTENT)['id']}"


def linked(url: str, path: str, token: str, method: str = "GET", **headers: str) -> httpx.Response:
    """Follow a link, as a browser does: without a header that says who it is."""
    answer = http.request(method, f"{url}/api/v1{path}?token={token}", headers=headers)
    check_response(answer)
    return answer


@on_both_servers
@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_a_file_is_to_be_saved_and_never_run(alice: Person, file: str, method: str) -> None:
    answer = alice.call(method, file)
    told = {name: value for name, value in answer.headers.items() if name not in HOUSEHOLD}
    assert told == {
        "content-type": "application/octet-stream",
        "content-length": str(len(CONTENT)),
        "content-disposition": 'attachment; filename="a.bin"',
        "content-security-policy": "sandbox; default-src 'none'",
        "x-content-type-options": "nosniff",
        "cache-control": "private, no-cache",
        "etag": f'"{file.rpartition("/")[2]}"',
        "accept-ranges": "bytes",
        "referrer-policy": "no-referrer",
        "cross-origin-opener-policy": "same-origin",
        "vary": "origin",
        "x-request-id": answer.headers["x-request-id"],
    }
    assert answer.content == (CONTENT if method == "GET" else b"")


@one_world
@pytest.mark.parametrize(
    "name", ["gr\u00fc\u00df.txt", "\u6587 \U0001f600.txt", "a\"b;c'd.txt", "a%41.txt"]
)
def test_a_name_of_any_letters_is_told_as_rfc_6266_says(alice: Person, name: str) -> None:
    found = alice.upload(name, b"text")
    said = alice.call("GET", f"/attachments/{found['id']}").headers["content-disposition"]
    if found["name"].isascii():
        escaped = found["name"].replace('"', '\\"')
        assert said == f'attachment; filename="{escaped}"'
    else:
        assert said == f"attachment; filename*=utf-8''{quote(found['name'])}"


@one_world
def test_a_thumbnail_is_small_and_told_by_a_name_of_its_own(alice: Person) -> None:
    found = alice.upload("a.png", picture(size=(1_000, 500)))
    answer = alice.call("GET", f"/attachments/{found['id']}/thumbnail")
    assert answer.headers["content-type"] == "image/webp"
    assert answer.headers["content-disposition"] == 'attachment; filename="a.webp"'
    assert answer.headers["etag"] == f'"{found["id"]}-thumbnail"'
    assert int(answer.headers["content-length"]) == len(answer.content)


# --- parts ----------------------------------------------------------------------------------


@on_both_servers
@pytest.mark.parametrize(
    ("asked", "first", "last"),
    [
        ("bytes=0-0", 0, 0),
        ("bytes=0-99", 0, 99),
        ("bytes=100-200000", 100, 200_000),
        ("bytes=255000-", 255_000, 255_999),
        ("bytes=-5", 255_995, 255_999),
        ("bytes=-999999", 0, 255_999),
        ("bytes=255999-9999999999", 255_999, 255_999),
    ],
)
def test_a_part_is_exactly_what_was_asked_for(
    alice: Person, file: str, asked: str, first: int, last: int
) -> None:
    answer = alice.call("GET", file, headers={"Range": asked})
    assert (answer.status_code, answer.content) == (206, CONTENT[first : last + 1])
    assert answer.headers["content-range"] == f"bytes {first}-{last}/{len(CONTENT)}"
    assert answer.headers["content-length"] == str(last + 1 - first)
    assert answer.headers["content-security-policy"] == "sandbox; default-src 'none'"


@on_both_servers
@pytest.mark.parametrize("asked", ["bytes=256000-", "bytes=256000-256001", "bytes=-0"])
def test_a_part_behind_the_end_is_refused(alice: Person, file: str, asked: str) -> None:
    answer = alice.call("GET", file, headers={"Range": asked})
    assert (answer.status_code, answer.json()["code"]) == (416, "range_not_satisfiable")
    assert answer.headers["content-range"] == f"bytes */{len(CONTENT)}"


@one_world
@pytest.mark.parametrize(
    "asked",
    ["bytes=0-1,5-6", "bytes=5-2", "bytes=-", "bytes=a-b", "lines=0-1", "bytes", "", "bytes=--1"],
)
def test_what_asks_for_no_one_part_is_given_the_whole(alice: Person, file: str, asked: str) -> None:
    answer = alice.call("GET", file, headers={"Range": asked})
    assert (answer.status_code, answer.content) == (200, CONTENT)


@one_world
def test_a_part_is_given_only_of_what_the_client_has_a_part_of(alice: Person, file: str) -> None:
    etag = alice.call("HEAD", file).headers["etag"]
    others = ('"other"', f"W/{etag}", "Wed, 21 Oct 2015 07:28:00 GMT")
    found = {
        said: alice.call("GET", file, headers={"Range": "bytes=0-1", "If-Range": said}).status_code
        for said in (etag, *others)
    }
    assert found == {etag: 206, **dict.fromkeys(others, 200)}
    assert alice.call("HEAD", file, headers={"Range": "bytes=0-1"}).status_code == 200


def test_parts_of_what_is_empty_or_all_there_is() -> None:
    assert part_asked_for("bytes=0-", 1) == Part(0, 0)
    assert part_asked_for("BYTES=-1", 1) == Part(0, 0)
    for asked in ("bytes=0-", "bytes=0-0", "bytes=-1"):
        with pytest.raises(Unsatisfiable):
            part_asked_for(asked, 0)


@on_both_servers
@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_who_has_it_already_is_not_sent_it_again(alice: Person, file: str, method: str) -> None:
    etag = alice.call("HEAD", file).headers["etag"]
    for known in (etag, f"W/{etag}", f'"other", {etag}', "*"):
        answer = alice.call(method, file, headers={"If-None-Match": known})
        assert (answer.status_code, answer.content) == (304, b"")
        assert answer.headers["etag"] == etag
        assert answer.headers["cache-control"] == "private, no-cache"
    answer = alice.call("GET", file, headers={"If-None-Match": '"other"'})
    assert answer.status_code == 200


# --- links ----------------------------------------------------------------------------------


@on_both_servers
def test_a_link_needs_no_header(alice: Person, file: str) -> None:
    answer = alice.expect(201, "POST", "/auth/download-token")
    assert answer == {"token": answer["token"], "expires_in": 3600}
    for _ in range(2):
        assert linked(alice.url, file, answer["token"]).content == CONTENT
    assert linked(alice.url, file, answer["token"], "HEAD").status_code == 200
    part = linked(alice.url, file, answer["token"], Range="bytes=1-2")
    assert (part.status_code, part.content) == (206, CONTENT[1:3])


@one_world
def test_a_link_shows_what_its_person_may_see_and_nothing_else(
    alice: Person, bob: Person, file: str
) -> None:
    mine, theirs = alice.download_token(), bob.download_token()
    assert linked(alice.url, file, mine).status_code == 200
    assert linked(alice.url, file, theirs).status_code == 404
    assert linked(alice.url, f"/attachments/{NOWHERE}", mine).status_code == 404


@one_world
def test_the_token_of_a_link_is_good_for_files_alone(alice: Person, file: str) -> None:
    token = alice.download_token()
    for path in ("/me", "/rooms", "/sync"):
        headers = {"Authorization": f"Bearer {token}"}
        answer = http.get(f"{alice.url}/api/v1{path}", headers=headers)
        assert (answer.status_code, answer.json()["code"]) == (401, "invalid_token")
        assert http.get(f"{alice.url}/api/v1{path}?token={token}").status_code == 401
    headers = {"Authorization": f"Bearer {token}"}
    form: Any = {"file": ("a.txt", b"text")}
    assert http.post(f"{alice.url}/api/v1/uploads", headers=headers, files=form).status_code == 401
    assert http.get(f"{alice.url}/api/v1{file}", headers=headers).status_code == 401


@one_world
def test_no_other_token_is_good_for_a_link(alice: Person, file: str) -> None:
    socket_token = alice.expect(201, "POST", "/auth/socket-token")["token"]
    for token in (alice.tokens["access"], alice.tokens["refresh"], socket_token, "", "x.y.z"):
        answer = linked(alice.url, file, token)
        assert (answer.status_code, answer.json()["code"]) == (401, "invalid_token")


@one_world
async def test_the_token_of_a_link_opens_no_socket(alice: Person) -> None:
    async with Socket(f"{alice.ws}/ws/?token={alice.download_token()}") as opened:
        assert (await opened.closed())[1] == 4301


def test_a_link_ends_with_its_session_and_on_every_server(alice: Person, world: World) -> None:
    path = f"/attachments/{alice.upload('a.txt', b'text')['id']}"
    phone = alice.login("phone")
    token, other = phone.download_token(), alice.download_token()
    assert linked(world.other.url, path, token).status_code == 200
    phone.expect(204, "POST", "/auth/logout")
    answer = linked(world.other.url, path, token)
    assert (answer.status_code, answer.json()["code"]) == (401, "session_revoked")
    assert linked(world.other.url, path, other).status_code == 200
    change = {"current_password": PASSWORD, "new_password": PASSWORD + "!"}
    alice.login("tablet").expect(204, "POST", "/auth/password", json=change)
    assert linked(world.other.url, path, other).status_code == 401


def test_a_link_is_good_for_as_long_as_is_said(embedded: World) -> None:
    with embedded.beside({"download_token_seconds": 0.001}) as server:
        alice = Person.register(server.url, "alice")
        path = f"/attachments/{alice.upload('a.txt', b'text')['id']}"
        answer = linked(server.url, path, alice.download_token())
        assert (answer.status_code, answer.json()["code"]) == (401, "token_expired")


@on_both_servers
def test_the_token_of_a_link_stands_in_no_log(alice: Person, world: World, file: str) -> None:
    with world.beside({}, LOG_LEVEL="DEBUG") as server:
        at = alice.at(server.url)
        token = at.download_token()
        for path in (file, file + "/thumbnail", "/attachments/nothing", "/nowhere"):
            http.get(f"{server.url}/api/v1{path}?token={token}")
        assert linked(server.url, file, token[:-1]).status_code == 401
        log = server.log
    assert log
    assert token.rpartition(".")[2] not in log


def test_files_are_counted_apart_from_other_requests(embedded: World) -> None:
    limits = {
        "requests_per_second": 1,
        "requests_burst": 4,
        "downloads_per_second": 1,
        "downloads_burst": 10,
    }
    with embedded.beside(limits) as server:
        alice = Person.register(server.url, "alice")
        path = f"/attachments/{alice.upload('a.txt', b'text')['id']}"
        found = [alice.call("GET", path).status_code for _ in range(14)]
        assert set(found[:10]) == {200}
        assert 429 in found
        assert alice.call("GET", "/me").status_code == 200
