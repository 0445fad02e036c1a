"""The contract as a judge: every answer and every frame of the tests is held against it."""

import re
from functools import cache
from typing import Any

import httpx
import yaml
from jsonschema import Draft202012Validator
from referencing import Registry, Resource
from referencing.jsonschema import DRAFT202012

from tests.servers import PROJECT

_PREFIX = "urn:contract:"


TELLING = {  # headers that a client acts on: an answer with one has it in the contract
    *("etag", "content-range", "content-disposition", "idempotent-replayed", "retry-after"),
    *("www-authenticate", "ratelimit", "ratelimit-policy", "accept-ranges"),
}


@cache
def document(name: str) -> dict[str, Any]:
    """Return what ``openapi`` or ``asyncapi`` says, for reading alone."""
    found: dict[str, Any] = yaml.load(
        (PROJECT / f"{name}.yaml").read_text(), Loader=yaml.CSafeLoader
    )
    return found


@cache
def _registry() -> Registry[Any]:
    resources = [
        (_PREFIX + name, Resource.from_contents(document(name), DRAFT202012))
        for name in ("openapi", "asyncapi")
    ]
    return Registry().with_resources(resources)


@cache
def _validator(name: str, pointer: str) -> Draft202012Validator:
    reference = {"$ref": f"{_PREFIX}{name}#{pointer}"}
    return Draft202012Validator(
        reference, registry=_registry(), format_checker=Draft202012Validator.FORMAT_CHECKER
    )


@cache
def _paths() -> list[tuple[re.Pattern[str], str]]:
    paths = document("openapi")["paths"]
    exact_first = sorted(paths, key=lambda path: path.count("{"))
    return [
        (re.compile(re.sub(r"\\{\w+\\}", "[^/]+", re.escape(path))), path) for path in exact_first
    ]


def check_response(response: httpx.Response) -> None:
    """Fail if the contract does not know this answer."""
    assert response.headers["x-request-id"]
    path = next((p for shape, p in _paths() if shape.fullmatch(response.request.url.path)), None)
    if path is None:
        return
    method = response.request.method.lower()
    operation = document("openapi")["paths"][path].get(method)
    if operation is None:
        assert response.status_code in (200, 204, 304, 405), f"{method} {path}: {response.text}"
        return
    status = str(response.status_code)
    assert status in operation["responses"], f"{method} {path}: {status}: {response.text}"
    described = {name.lower() for name in operation["responses"][status]["headers"]}
    unknown = (TELLING & set(response.headers)) - described
    assert not unknown, f"{method} {path}: {status}: {unknown}"
    content = operation["responses"][status].get("content")
    if content is None:
        assert response.content == b""
        return
    media = response.headers["content-type"].partition(";")[0]
    if "*/*" in content:  # a file, of whichever type it is
        return
    assert media in content, f"{method} {path}: {status}: {media}"
    steps = ["paths", path, method, "responses", status, "content", media, "schema"]
    pointer = "".join("/" + step.replace("~", "~0").replace("/", "~1") for step in steps)
    _judge(_validator("openapi", pointer), response.json())


def check_frame(frame: dict[str, Any]) -> None:
    """Fail if the contract does not know this frame of the server."""
    messages = document("asyncapi")["components"]["messages"]
    if frame["type"] == "ok":
        results = [name for name in messages if name.endswith("Result")]
        assert any(
            _validator("asyncapi", f"/components/messages/{name}/payload").is_valid(frame)
            for name in results
        ), frame
        return
    assert frame["type"] in messages, frame
    _judge(_validator("asyncapi", f"/components/messages/{frame['type']}/payload"), frame)


def _judge(validator: Draft202012Validator, value: Any) -> None:
    error = next(iter(validator.iter_errors(value)), None)
    assert error is None, f"{error.json_path}: {error.message}" if error else ""
