"""Who may do what over REST: the tables of docs/roles.md, cell by cell."""

import re
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from django.urls import URLPattern, URLResolver, get_resolver, resolve

from tests.acts import Ask, ask
from tests.cast import Cast, Scene
from tests.clients import Person, http
from tests.contract import check_response
from tests.roles import EVERYBODY, HIDDEN, Row, rows
from tests.servers import World

API = "/api/v1"
OUTSIDE = "Outside `/api/v1`"
PRIVATE, PUBLIC = "A private room", "A public room"
ROWS = rows(PRIVATE, PUBLIC, "One's own account", OUTSIDE)
METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")
CODES = {401: "not_authenticated", 403: "permission_denied", 404: "not_found"}
NOWHERE = "01890000-0000-7000-8000-000000000000"


@pytest.fixture(scope="module")
def cast(embedded: World) -> Cast:
    """The people of all rows."""
    return Cast(embedded.server.url)


def path_of(row: Row) -> str:
    """Return a row's path as the URL configuration has it, with ids that lead nowhere."""
    path = row.call.partition(" ")[2]
    return ("" if row.table == OUTSIDE else API) + re.sub(r"\{\w+\}", NOWHERE, path)


def routes() -> Iterator[tuple[str, Any]]:
    """Walk the URL configuration: every route with its view."""

    def walk(resolver: URLResolver, prefix: str) -> Iterator[tuple[str, Any]]:
        for entry in resolver.url_patterns:
            route = prefix + str(entry.pattern)
            if isinstance(entry, URLPattern):
                yield route, entry.callback
            else:
                yield from walk(entry, route)

    return walk(get_resolver(), "")


def methods_of(view: Any) -> list[str]:
    """Return the methods of a view that stand in the tables; a plain function is read."""
    shape = getattr(view, "view_class", None)
    return ["GET"] if shape is None else [name for name in METHODS if hasattr(shape, name.lower())]


def test_every_route_has_its_rows_and_every_row_its_route() -> None:
    there = {(method, route) for route, view in routes() for method in methods_of(view)}
    written = {(row.call.split()[0], resolve(path_of(row)).route) for row in ROWS}
    assert written == there


def test_what_is_in_a_room_has_rows_for_both_kinds_of_rooms() -> None:
    private, public = ({row.call for row in rows(table)} for table in (PRIVATE, PUBLIC))
    assert private == public
    assert {row.call for row in ROWS if "{room_id}" in row.call} <= public
    assert all(tuple(row.cells) == EVERYBODY for row in rows(PRIVATE, "One's own account"))


def test_a_method_without_a_row_is_not_allowed(cast: Cast) -> None:
    url, owner = cast.url, cast.actors["owner"]
    signed_in = {"Authorization": f"Bearer {owner.tokens['access']}"}
    answers: dict[str, tuple[int, int]] = {}
    for route, view in routes():
        path = next(path for row in ROWS if resolve(path := path_of(row)).route == route)
        for method in set(METHODS) - set(methods_of(view)) if hasattr(view, "view_class") else ():
            unknown = http.request(method, url + path).status_code
            known = http.request(method, url + path, headers=signed_in).status_code
            answers[f"{method} {route}"] = (unknown, known)
    assert len(answers) > 50
    assert set(answers.values()) == {(401, 405), (405, 405)}, answers


@pytest.mark.parametrize("row", ROWS, ids=str)
def test_each_role_may_do_what_the_table_says(cast: Cast, row: Row) -> None:
    kind = "public" if row.table == PUBLIC else "private"
    scene, found = None, {}
    for place in row.acted:
        scene = scene or Scene(cast, kind)
        asked = ask(row, scene, place)
        answer = request(asked.person or cast.actor(place), row.call.split()[0], asked)
        found[place] = cell(answer, asked, row)
        if answer.is_success and row.call[:4] != "GET ":
            scene = None  # what is refused changes nothing, so the next in turn finds it the same
    assert found == row.acted


def request(person: Person, method: str, asked: Ask) -> httpx.Response:
    """Make a request; what may be read may be asked for its head as well."""
    headers = {"Authorization": f"Bearer {person.tokens['access']}"} if person.tokens else {}
    url = person.url + asked.path
    body: dict[str, Any] = {"files": asked.files} if asked.files else {"json": asked.body}
    answer = http.request(method, url, headers=headers, params=asked.query, **body)
    check_response(answer)
    if method == "GET":
        head = http.head(url, headers=headers, params=asked.query)
        assert (head.status_code, head.content) == (answer.status_code, b"")
    return answer


def cell(answer: httpx.Response, asked: Ask, row: Row) -> str:
    """Return an answer as the tables write it."""
    if answer.is_success:
        hidden = row.shows and asked.sought not in answer.text
        return f"{answer.status_code}{' ' + HIDDEN if hidden else ''}"
    code = answer.json()["code"]
    known = CODES.get(answer.status_code) == code
    return str(answer.status_code) if known else f"{answer.status_code} {code}"
