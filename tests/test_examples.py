"""Every body, answer and frame has an example in the documents, and it is one."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from referencing import Registry, Resource
from referencing.jsonschema import DRAFT202012

import config.urls  # noqa: F401
import realtime.asyncapi  # noqa: F401  # every struct
from api.codec import Body, decode
from api.events import EVENTS, INBOX_EVENTS, ROOM_EVENTS
from api.examples import Examples, Untold
from api.scenes import SCENES
from api.story import ADA, ROOM, STORY
from tests.contract import check_frame, document

OPENAPI, ASYNCAPI = document("openapi"), document("asyncapi")
OPERATIONS = {
    operation["operationId"]: operation
    for path in OPENAPI["paths"].values()
    for operation in path.values()
}
MESSAGES = ASYNCAPI["components"]["messages"]
COMMANDS = sorted(name for name in MESSAGES if name.endswith("Command"))


def structs(base: type[Any] = Body) -> Iterator[tuple[str, type[Any]]]:
    for struct in base.__subclasses__():
        yield struct.__name__, struct
        yield from structs(struct)


BODIES = dict(structs())


def examples_of(content: dict[str, Any]) -> list[Any]:
    """Return the examples of a body or an answer, references followed."""
    found = content.get("examples", {}).values()
    shared = OPENAPI["components"]["examples"]
    return [
        (shared[example["$ref"].rpartition("/")[2]] if "$ref" in example else example)["value"]
        for example in found
    ]


def check(document: dict[str, Any], schema: dict[str, Any], example: Any) -> None:
    """Fail if an example is not what the schema, a part of the document, describes."""
    resource = Resource.from_contents(document | {"$id": "urn:it"}, DRAFT202012)
    validator = Draft202012Validator(
        {"$id": "urn:it", **document, "allOf": [schema]},
        registry=Registry().with_resource("urn:it", resource),
        format_checker=Draft202012Validator.FORMAT_CHECKER,
    )
    errors = [f"{error.json_path}: {error.message}" for error in validator.iter_errors(example)]
    assert errors == []


@pytest.mark.parametrize("name", OPERATIONS)
def test_every_body_and_every_answer_has_an_example_that_fits(name: str) -> None:
    operation = OPERATIONS[name]
    answers = [answer for status, answer in operation["responses"].items() if status < "400"]
    for said in (operation.get("requestBody", {}), *answers):
        for media, content in said.get("content", {}).items():
            if media in ("*/*", "multipart/form-data"):  # files
                continue
            (example,) = examples_of(content)
            check(OPENAPI, content["schema"], example)


@pytest.mark.parametrize("name", [name for name in OPERATIONS if "requestBody" in OPERATIONS[name]])
def test_every_example_of_a_body_is_taken(name: str) -> None:
    for media, content in OPERATIONS[name]["requestBody"]["content"].items():
        if media == "application/json":
            (example,) = examples_of(content)
            decode(json.dumps(example), BODIES[content["schema"]["$ref"].rpartition("/")[2]])


@pytest.mark.parametrize("name", MESSAGES)
def test_every_frame_has_an_example_that_fits(name: str) -> None:
    (example,) = MESSAGES[name]["examples"]
    check(ASYNCAPI, MESSAGES[name]["payload"], example["payload"])


@pytest.mark.parametrize("name", COMMANDS)
def test_every_example_of_a_command_is_taken(name: str) -> None:
    (example,) = MESSAGES[name]["examples"]
    fields = {key: value for key, value in example["payload"].items() if key not in ("type", "id")}
    decode(json.dumps(fields), BODIES[MESSAGES[name]["payload"]["title"]])


@pytest.mark.parametrize("name", ["getRoomEvents", "getMyEvents"])
def test_examples_of_events_are_events(name: str) -> None:
    content = OPERATIONS[name]["responses"]["200"]["content"]["application/json"]
    (example,) = examples_of(content)
    for event in example["items"]:
        check_frame(event)


def test_examples_of_events_are_of_the_stream_that_has_them() -> None:
    streams = {kind: MESSAGES[kind]["examples"][0]["payload"]["stream"] for kind in EVENTS}
    assert streams == dict.fromkeys(ROOM_EVENTS, ROOM) | dict.fromkeys(INBOX_EVENTS, ADA)


def test_a_field_that_nobody_has_told_of_is_found() -> None:
    fields = {"id": {"type": "string"}, "surprise": {"type": "string"}}
    schema = {"type": "object", "title": "New", "properties": fields, "required": ["surprise"]}
    with pytest.raises(Untold, match=r"New\.surprise"):
        Examples({}).of(schema)


def fields_of(part: Any) -> Iterator[str]:
    """Yield the names that fields have anywhere in a document, alone and with their struct's."""
    match part:
        case dict():
            for name in part["properties"] if "title" in part and "properties" in part else ():
                yield from (name, f"{part['title']}.{name}")
            for inner in part.values():
                yield from fields_of(inner)
        case list():
            for inner in part:
                yield from fields_of(inner)


def test_the_story_tells_of_nothing_that_is_not_there() -> None:
    assert set(STORY) <= {*fields_of(OPENAPI), *fields_of(ASYNCAPI)}
    assert set(SCENES) <= {*OPERATIONS, *MESSAGES}
