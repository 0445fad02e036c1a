"""The REST contract as a document: valid, and kept by a running server whatever is sent."""

import re
from collections.abc import Iterator
from typing import Any

import pytest
import schemathesis
from openapi_spec_validator import OpenAPIV31SpecValidator
from schemathesis.schemas import BaseSchema

from tests.clients import Person
from tests.contract import document
from tests.servers import World

OPENAPI = document("openapi")
PATHS = OPENAPI["paths"]
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
    return schemathesis.openapi.from_dict(OPENAPI, config=schemathesis.Config.from_dict(config))


Case = schemathesis.Case[Any]
anything = contract("all").exclude(path_regex=SESSION_ENDS)
about_something = contract("positive").include(path_regex=r"\{(room|message|user)_id\}")


@pytest.fixture(scope="module")
def dora(world: World) -> Person:
    """Dora is signed in."""
    return Person.register(world.server.url, "dora")


@pytest.fixture(scope="module")
def eve(dora: Person) -> Person:
    """Eve belongs to every room of dora."""
    return Person.register(dora.url, "eve")


def check(case: Case, person: Person) -> None:
    case.call_and_validate(
        base_url=person.url, headers={"Authorization": f"Bearer {person.tokens['access']}"}
    )


def test_document_is_valid_openapi() -> None:
    OpenAPIV31SpecValidator(OPENAPI).validate()


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
    there = {
        f"#/components/{kind}/{name}"
        for kind in ("schemas", "headers", "examples")
        for name in OPENAPI["components"][kind]
    }
    assert set(references(OPENAPI)) == there


def test_every_path_with_an_id_may_lead_nowhere() -> None:
    for path in [path for path in PATHS if "{" in path]:
        for operation in PATHS[path].values():
            assert "404" in operation["responses"], operation["operationId"]


def test_every_answer_says_what_it_is() -> None:
    for operation in [operation for path in PATHS.values() for operation in path.values()]:
        for status, answer in operation["responses"].items():
            assert answer["description"], (operation["operationId"], status)


def test_everything_that_makes_something_can_be_sent_again() -> None:
    making = {
        path: path_of["post"]
        for path, path_of in PATHS.items()
        if "201" in path_of.get("post", {}).get("responses", {}) and "/auth/" not in path
    }
    for path, operation in making.items():
        named = path == "/api/v1/rooms/{room_id}/messages"  # by its client_msg_id
        keys = [given["name"] for given in operation["parameters"] if given["in"] == "header"]
        assert keys == ([] if named else ["Idempotency-Key"]), path
        for status in [status for status in operation["responses"] if status < "400"]:
            assert "Idempotent-Replayed" in operation["responses"][status]["headers"]
        assert named or "`conflict`" in operation["responses"]["409"]["description"]


def test_the_conventions_name_every_code() -> None:
    told = set(re.findall(r"^\| `(\w+)` \|", OPENAPI["info"]["description"], re.MULTILINE))
    answers = [
        answer
        for path in PATHS.values()
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
