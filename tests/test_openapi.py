"""The REST contract as a document: valid, and kept by a running server whatever is sent."""

import re
from collections.abc import Iterator
from typing import Any

import pytest
import schemathesis
import yaml
from openapi_spec_validator import OpenAPIV31SpecValidator
from schemathesis.schemas import BaseSchema

from tests.clients import Person
from tests.servers import PROJECT, World

DOCUMENT = PROJECT / "openapi.yaml"
SESSION_ENDS = r"^/api/v1/(auth/(logout|logout-all|password|sessions/\{session_id\})|me/delete)$"
EXAMPLES = 25  # of each operation, besides those at the edges of its schema


def contract(mode: str) -> BaseSchema:
    """Return the document, to make requests of: the same ones in every run."""
    config = {
        "seed": 1,
        "checks": {"positive_data_acceptance": {"enabled": False}},  # a schema knows no rules
        "generation": {
            "deterministic": True,
            "no-shrink": True,
            "max-examples": EXAMPLES,
            "mode": mode,
        },
    }
    return schemathesis.openapi.from_path(DOCUMENT, config=schemathesis.Config.from_dict(config))


Case = schemathesis.Case[Any]
anything = contract("all").exclude(path_regex=SESSION_ENDS)
about_something = contract("positive").include(path_regex=r"\{(room|message|user)_id\}")


@pytest.fixture(scope="module")
def dora(embedded: World) -> Person:
    """Dora is signed in."""
    return Person.register(embedded.server.url, "dora")


@pytest.fixture(scope="module")
def eve(dora: Person) -> Person:
    """Eve belongs to every room of dora."""
    return Person.register(dora.url, "eve")


def check(case: Case, person: Person) -> None:
    case.call_and_validate(
        base_url=person.url, headers={"Authorization": f"Bearer {person.tokens['access']}"}
    )


def test_document_is_valid_openapi() -> None:
    OpenAPIV31SpecValidator(yaml.safe_load(DOCUMENT.read_text())).validate()


def references(part: Any) -> Iterator[str]:
    match part:
        case {"$ref": str(reference)}:
            yield reference
        case dict():
            for inner in part.values():
                yield from references(inner)
        case list():
            for inner in part:
                yield from references(inner)


def test_every_reference_leads_somewhere_and_every_schema_is_referred_to() -> None:
    document = yaml.safe_load(DOCUMENT.read_text())
    there = {
        f"#/components/{kind}/{name}"
        for kind in ("schemas", "headers", "examples")
        for name in document["components"][kind]
    }
    assert set(references(document)) == there


def test_every_path_with_an_id_may_lead_nowhere() -> None:
    paths = yaml.safe_load(DOCUMENT.read_text())["paths"]
    for path in [path for path in paths if "{" in path]:
        for operation in paths[path].values():
            assert "404" in operation["responses"], operation["operationId"]


def test_every_answer_says_what_it_is() -> None:
    paths = yaml.safe_load(DOCUMENT.read_text())["paths"]
    for operation in [operation for path in paths.values() for operation in path.values()]:
        for status, answer in operation["responses"].items():
            assert answer["description"], (operation["operationId"], status)


def test_everything_that_makes_something_can_be_sent_again() -> None:
    paths = yaml.safe_load(DOCUMENT.read_text())["paths"]
    making = {
        path: path_of["post"]
        for path, path_of in paths.items()
        if "201" in path_of.get("post", {}).get("responses", {}) and "/auth/" not in path
    }
    del making["/api/v1/rooms/{room_id}/messages"]["parameters"]  # which has client_msg_id
    for path, operation in making.items():
        keys = [
            found["name"] for found in operation.get("parameters", []) if found["in"] == "header"
        ]
        assert keys == ["Idempotency-Key"] or path.endswith("/messages"), path
        for status in [status for status in operation["responses"] if status < "400"]:
            assert "Idempotent-Replayed" in operation["responses"][status]["headers"]
        assert "`conflict`" in operation["responses"]["409"]["description"] or not keys


def test_the_conventions_name_every_code() -> None:
    document = yaml.safe_load(DOCUMENT.read_text())
    told = set(re.findall(r"^\| `(\w+)` \|", document["info"]["description"], re.MULTILINE))
    answers = [
        answer
        for path in document["paths"].values()
        for operation in path.values()
        for status, answer in operation["responses"].items()
        if status >= "400"
    ]
    codes = {code for answer in answers for code in re.findall(r"`(\w+)`", answer["description"])}
    assert told == codes | {"method_not_allowed"}


@anything.parametrize()
def test_server_keeps_the_contract_whatever_is_sent(case: Case, dora: Person) -> None:
    check(case, dora)


@about_something.parametrize()
def test_server_keeps_the_contract_about_things_that_exist(
    case: Case, dora: Person, eve: Person
) -> None:
    room = dora.create_room(eve)["id"]
    there: dict[str, Any] = {
        "room_id": room,
        "message_id": dora.send(room)["id"],
        "user_id": eve.id,
    }
    given = case.path_parameters or {}
    case.path_parameters = {name: there.get(name, given[name]) for name in given}
    check(case, dora)
