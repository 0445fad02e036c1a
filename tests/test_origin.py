"""From which web pages a socket may be opened, and how a foreign one is marked."""

from collections.abc import Iterator, Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pytest_django import Settings
from websockets.exceptions import InvalidStatus

from realtime.close_codes import FORBIDDEN
from realtime.origin import OriginPolicy, allowed
from tests.clients import Person, Socket
from tests.servers import World

HOST = "chat.example.org"
LISTED = ["https://app.example.com", "http://localhost:5173"]


@pytest.mark.parametrize(
    "origins",
    [
        [],
        ["https://chat.example.org"],
        ["http://chat.example.org"],
        ["https://CHAT.example.org"],
        ["https://app.example.com"],
        ["https://App.Example.com"],
        ["http://localhost:5173"],
    ],
)
def test_native_apps_our_own_host_and_listed_pages_are_let_in(origins: list[str]) -> None:
    assert allowed(origins, HOST, LISTED)


@pytest.mark.parametrize(
    "origins",
    [
        ["null"],
        [""],
        ["https://evil.example"],
        ["https://chat.example.org.evil.example"],
        ["https://evil-chat.example.org"],
        ["https://sub.chat.example.org"],
        ["https://chat.example.org:8443"],
        ["https://chat.example.org/"],
        ["https://chat.example.org?"],
        ["https://chat.example.org#"],
        ["https://someone@chat.example.org"],
        ["https://chat.example.org@evil.example"],
        [" https://chat.example.org"],
        ["https://chat.example.org https://evil.example"],
        ["chat.example.org"],
        ["//chat.example.org"],
        ["https:chat.example.org"],
        ["https://"],
        ["file://chat.example.org"],
        ["ws://chat.example.org"],
        ["javascript://chat.example.org"],
        ["http://app.example.com"],
        ["https://localhost:5173"],
        ["NULL"],
        ["https://chat.example.org."],
        ["https://chat.example.org:443"],
        ["https://chat.example.org:"],
        ["https://chat.example.org:99999"],
        ["https://chat.example.org:80:80"],
        ["https://chat.example.org/path"],
        ["https://chat.example.org\\@evil.example"],
        ["https://chat.example.org\x00"],
        ["https://chat.example.org\x00.evil.example"],
        ["https://chat.example.org\t"],
        ["https://chat.example.org\n"],
        ["https://chat .example.org"],
        ["https://chat.example.org "],
        ["https://chat%2eexample.org"],
        ["https://chat.example。org"],
        ["https://сhat.example.org"],  # noqa: RUF001  a Cyrillic letter
        ["https://xn--hat-9cd.example.org"],
        ["https://CHAT.EXAMPLE.ORG.EVIL.EXAMPLE"],
        ["https://:secret@chat.example.org"],
        ["https://[::1]"],
        ["https://[::ffff:127.0.0.1]:8000"],
        ["https://127.0.0.1"],
        ["https://2130706433"],
        ["data:text/html,https://chat.example.org"],
        ["blob:https://chat.example.org/1"],
        ["file:///chat.example.org"],
        ["chrome-extension://chat.example.org"],
        ["https:///chat.example.org"],
        ["https:\\\\chat.example.org"],
        ["https://" + "a" * 8_000 + ".chat.example.org"],
        ["https://chat.example.org" + "/" * 8_000],
        ["https://chat.example.org,https://evil.example"],
        ["null", "https://chat.example.org"],
        ["", "https://chat.example.org"],
        ["http://localhost:51730"],
        ["https://chat.example.org", "https://chat.example.org"],
        ["https://chat.example.org", "https://evil.example"],
    ],
)
def test_everybody_else_is_refused(origins: list[str]) -> None:
    """The naive forms: compare what a URL parser finds, or the beginning, or the end."""
    try:
        assert not allowed(origins, HOST, LISTED)
    except ValueError as no_url:  # the middleware takes it for a refusal
        assert "netloc" in str(no_url) or "IPv6" in str(no_url)  # noqa: PT017


def test_the_list_is_compared_without_case_too() -> None:
    assert allowed(["https://app.example.com"], HOST, ["https://App.Example.com"])


def test_a_port_belongs_to_the_host() -> None:
    assert allowed(["http://127.0.0.1:8000"], "127.0.0.1:8000", [])
    assert not allowed(["http://127.0.0.1:8001"], "127.0.0.1:8000", [])
    assert allowed(["http://[::1]:8000"], "[::1]:8000", [])


@pytest.mark.parametrize("origin", ["https://", "http://", "null", "", "https://evil.example"])
def test_without_a_host_of_ours_only_the_list_counts(origin: str) -> None:
    assert not allowed([origin], "", LISTED)
    assert allowed(["https://app.example.com"], "", LISTED)


# --- as middleware --------------------------------------------------------------------------


async def verdict(headers: Sequence[tuple[bytes, bytes]]) -> Any:
    """Return how the policy has marked a handshake."""
    seen: list[dict[str, Any]] = []

    async def app(scope: dict[str, Any], receive: Any, send: Any) -> None:
        seen.append(scope)

    await OriginPolicy(app)({"type": "websocket", "headers": headers}, None, None)
    (scope,) = seen
    return scope.get("refused")


@pytest.fixture
def deployed(settings: Settings) -> None:
    """A server under one name and its sub-domains, with a list of pages."""
    settings.ALLOWED_HOSTS = [HOST, ".example.net"]
    settings.CORS_ALLOWED_ORIGINS = LISTED


@pytest.mark.usefixtures("deployed")
@pytest.mark.parametrize(
    ("host", "origin"),
    [
        (b"chat.example.org", None),
        (b"chat.example.org", b"https://chat.example.org"),
        (b"Chat.Example.org:8443", b"https://chat.example.org:8443"),
        (b"eu.example.net", b"https://eu.example.net"),
        (b"chat.example.org", b"https://app.example.com"),
        (b"unknown.example", b"https://app.example.com"),
    ],
)
async def test_a_handshake_that_may_open_a_socket_is_passed_on_unmarked(
    host: bytes, origin: bytes | None
) -> None:
    headers = [(b"host", host)] + ([] if origin is None else [(b"Origin", origin)])
    assert await verdict(headers) is None


@pytest.mark.usefixtures("deployed")
@pytest.mark.parametrize(
    ("host", "origin"),
    [
        (b"chat.example.org", b"https://evil.example"),
        (b"chat.example.org", b"null"),
        (b"evil.example", b"https://evil.example"),
        (b"", b"https://"),
        (b"eu.example.net", b"https://us.example.net"),
        (b"chat.example.org", b"http://[chat.example.org"),
        (b"chat.example.org", b"https://chat.example.org\xff"),
    ],
)
async def test_a_handshake_from_a_foreign_page_is_marked_and_passed_on(
    host: bytes, origin: bytes
) -> None:
    assert await verdict([(b"host", host), (b"origin", origin)]) == FORBIDDEN


@pytest.mark.usefixtures("deployed")
async def test_a_second_origin_is_not_overlooked() -> None:
    own = b"https://chat.example.org"
    headers = [(b"host", HOST.encode()), (b"origin", own), (b"origin", b"https://evil.example")]
    assert await verdict(headers) == FORBIDDEN


@given(origin=st.text())
def test_no_text_is_let_in_that_is_not_exactly_one_of_ours(origin: str) -> None:
    ours = {f"http://{HOST}", f"https://{HOST}", *LISTED}
    try:
        let_in = allowed([origin], HOST, LISTED)
    except ValueError:  # the middleware takes it for a refusal
        return
    assert let_in is (origin.lower() in ours)


# --- over the wire --------------------------------------------------------------------------


@pytest.mark.parametrize(
    "origins",
    [
        ["null"],
        ["https://evil.example"],
        ["http://127.0.0.1:1"],
        ["http://127.0.0.1"],
        ["http://[127.0.0.1"],
        ["http://evil.example@127.0.0.1"],
        ["http://127.0.0.1\xff"],
        ["data:text/html,x"],
        ["file://"],
        [""],
        ["http://" + "a" * 8_000],
    ],
    ids=lambda origins: str(origins)[:40],
)
async def test_a_foreign_page_is_told_so_whatever_else_it_brings(
    listing: Person, origins: list[str]
) -> None:
    """The naive form: believe the token, or break on what is no URL and show 1006."""
    headers = [("Origin", origin) for origin in origins]
    headers.append(("Authorization", f"Bearer {listing.tokens['access']}"))
    async with Socket(f"{listing.ws}/ws/", additional_headers=headers) as socket:
        bye, code = await socket.closed()
    assert (bye["code"], bye["reason"], code) == (4003, "forbidden", 4003)
    assert socket.hello == {}


async def test_more_than_one_origin_is_no_handshake_at_all(listing: Person) -> None:
    """The naive form looks at the first of them, or at the last."""
    for second in ("https://app.example.com", "https://evil.example", "null"):
        origins = [("Origin", "https://app.example.com"), ("Origin", second)]
        with pytest.raises(InvalidStatus) as refused:
            async with Socket(f"{listing.ws}/ws/", additional_headers=origins):
                pass
        assert refused.value.response.status_code == 400


@pytest.mark.parametrize("origin", ["own", "https://app.example.com", "https://APP.example.com"])
async def test_our_own_page_and_a_listed_one_are_let_in(listing: Person, origin: str) -> None:
    headers = [
        ("Origin", listing.url if origin == "own" else origin),
        ("Authorization", f"Bearer {listing.tokens['access']}"),
    ]
    async with Socket(f"{listing.ws}/ws/", additional_headers=headers) as socket:
        assert (await socket.opened()).hello["type"] == "hello"


@pytest.fixture(scope="module")
def listing(embedded: World) -> Iterator[Person]:
    """Lara has an account at a server that lists one page."""
    with embedded.beside({}, ALLOWED_ORIGINS="https://app.example.com") as server:
        yield Person.register(server.url, "lara")
