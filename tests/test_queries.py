"""Query strings: every GET takes the parameters that the contract names, each once, no other.

The naive form reads what it knows and overlooks the rest: a misspelt ``limit`` or ``after`` then
answers something else than was asked, and a parameter added later changes old requests.
"""

import re
from collections.abc import Iterator
from typing import Any

import pytest
from django.urls import URLPattern, URLResolver, get_resolver

from tests.cast import LATER
from tests.clients import Person
from tests.contract import document
from tests.pictures import picture
from tests.servers import World

PATHS: dict[str, Any] = document("openapi")["paths"]
GETS = sorted(path for path, methods in PATHS.items() if "get" in methods)
NEEDED = {"/api/v1/search": {"q": "word"}}  # who searches says what for


@pytest.fixture(scope="module")
def there(embedded: World) -> tuple[Person, dict[str, str]]:
    """Dora, and what she may see: a room, a message, a person."""
    dora = Person.register(embedded.server.url, "dora")
    room = dora.create_room()["id"]
    path = f"/rooms/{room}"
    dora.expect(200, "PUT", f"{path}/draft", json={"text": "begun"})
    return dora, {
        "room_id": room,
        "message_id": dora.send(room)["id"],
        "user_id": dora.id,
        "code": dora.expect(201, "POST", f"{path}/invites", json={})["code"],
        "scheduled_id": dora.expect(201, "POST", f"{path}/scheduled", json=LATER)["id"],
        "attachment_id": dora.upload("a.png", picture())["id"],
    }


def routes(resolver: URLResolver, before: str = "") -> Iterator[tuple[str, Any]]:
    """Yield every route with its view."""
    for found in resolver.url_patterns:
        route = before + str(found.pattern)
        if isinstance(found, URLPattern):
            yield route, found.callback
        else:
            yield from routes(found, route)


def test_no_get_is_missing_in_the_contract() -> None:
    served = [
        re.sub(r"<\w+:(\w+)>", r"{\1}", route)
        for route, view in routes(get_resolver())
        if route.startswith("api/v1") and hasattr(getattr(view, "view_class", None), "get")
    ]
    assert sorted(f"/{route}" for route in served) == GETS


@pytest.mark.parametrize("path", GETS)
def test_a_parameter_that_is_not_known_is_refused(
    there: tuple[Person, dict[str, str]], path: str
) -> None:
    dora, ids = there
    below = path.removeprefix("/api/v1").format(**ids)
    links = [] if "{attachment_id}" in path else ["?token=x"]
    for query in ("?nonsense=1", "?nonsense", "?Limit=1", "?limit%20=1", "?after[]=1", *links):
        problem = dora.refused(400, "invalid_request", "GET", below + query)
        assert problem["detail"].startswith("There is no parameter '")


@pytest.mark.parametrize("path", GETS)
def test_a_parameter_that_is_known_is_taken_once(
    there: tuple[Person, dict[str, str]], path: str
) -> None:
    dora, ids = there
    below = path.removeprefix("/api/v1").format(**ids)
    assert dora.call("GET", below, params=NEEDED.get(path)).status_code == 200
    for parameter in PATHS[path]["get"].get("parameters", []):
        if parameter["in"] == "query":
            name = parameter["name"]
            twice = dora.refused(400, "invalid_request", "GET", f"{below}?{name}=1&{name}=1")
            assert twice["detail"] == f"The parameter '{name}' is given twice."
            nul = dora.refused(400, "invalid_request", "GET", f"{below}?{name}=1%00")
            assert nul["detail"] == f"The parameter '{name}' has a NUL character."
