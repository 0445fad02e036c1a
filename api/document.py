"""What the views say, made a whole OpenAPI document (drf-spectacular's last hook)."""

from pathlib import Path
from typing import Any

from api.errors import ChatError
from api.examples import Examples
from api.openapi import DOCUMENTED, REF, schemas_of
from api.problems import status_of
from api.scenes import SCENES

CONVENTIONS = Path(__file__).with_name("conventions.md")


def complete(result: dict[str, Any], **_: Any) -> dict[str, Any]:
    """Add the structs' schemas, and to every operation its problems, headers and examples."""
    result["info"]["description"] = CONVENTIONS.read_text() + "\n".join(_rows())
    components = result["components"]
    components["schemas"] = schemas_of(DOCUMENTED.values())
    components["examples"] = {}
    components["headers"] = _COUNTED
    for path in result["paths"].values():
        for method, found in path.items():
            body = found.pop("x-body", None)
            if body and method == "delete":  # whose body drf-spectacular leaves out
                schema = {"$ref": REF.format(name=body)}
                found["requestBody"] = {"content": {"application/json": {"schema": schema}}}
            if "requestBody" in found:
                found["requestBody"]["required"] = _is_needed(found["requestBody"], result)
            _answer(found, components["schemas"])
            _illustrate(found, result)
    return result


def _rows() -> list[str]:
    """Return the rows of the table of errors."""
    found = sorted(ChatError.__subclasses__(), key=lambda error: (status_of(error), error.code))
    return [f"| `{error.code}` | {status_of(error)} | {error.default_detail} |" for error in found]


def _answer(found: dict[str, Any], schemas: dict[str, Any]) -> None:
    """Describe an operation's answers and their headers, and add its problems."""
    answers, codes = found["responses"], found.pop("x-codes")
    headers = _ANSWERED | (_COUNTED_BY_NAME if found.get("security") == [{"bearer": []}] else {})
    for status, answer in answers.items():
        answer["description"] = _described(status, answer, schemas)
        if "idempotency_conflict" in codes.get(409, ()):
            answer.setdefault("headers", {}).update(_REPLAYED)
    answers |= {str(status): _problem(status, codes[status]) for status in codes}
    for answer in answers.values():
        answer.setdefault("headers", {}).update(headers)
    found["responses"] = dict(sorted(answers.items()))


def _described(status: str, answer: dict[str, Any], schemas: dict[str, Any]) -> str:
    (content, *_) = answer.get("content", {"": {}}).values()
    name = content.get("schema", {}).get("$ref", "").rpartition("/")[2]
    said = schemas[name]["description"] if name else _WITHOUT_STRUCT[status]
    return str(said).partition("\n")[0]


def _illustrate(found: dict[str, Any], document: dict[str, Any]) -> None:
    """Give an operation's body and its answers their examples."""
    examples, shared = Examples(document), document["components"]["examples"]
    scenes = [("", found.get("requestBody", {}))]
    scenes += [(found["operationId"], answer) for answer in found["responses"].values()]
    for scene, said in scenes:
        content = said.get("content", {}).get("application/json")
        if content is None:
            continue
        if scene in SCENES:
            content["examples"] = {"example": {"value": examples.of(content["schema"], scene)}}
            continue
        name = content["schema"]["$ref"].rpartition("/")[2]
        shared[name] = {"value": examples.of(content["schema"])}
        content["examples"] = {"example": {"$ref": f"#/components/examples/{name}"}}


def _is_needed(body: dict[str, Any], document: dict[str, Any]) -> bool:
    """Tell whether a body has fields that must be there; without one it counts as ``{}``."""
    (content,) = body["content"].values()
    name = content["schema"]["$ref"].rpartition("/")[2]
    return bool(document["components"]["schemas"][name].get("required"))


def _problem(status: int, codes: list[str]) -> dict[str, Any]:
    return {
        "description": " · ".join(f"`{code}`" for code in codes),
        "content": {"application/problem+json": {"schema": {"$ref": REF.format(name="Problem")}}},
        "headers": dict(_WITH_PROBLEMS.get(status, {})),
    }


def _header(description: str) -> dict[str, Any]:
    return {"description": description, "schema": {"type": "string"}}


_WITHOUT_STRUCT = {
    "200": "The file.",
    "204": "Done.",
    "206": "The part of the file.",
    "304": "It is the file that the client has.",
}
_ANSWERED = {"X-Request-ID": _header("Names the request in logs.")}
_COUNTED = {
    "RateLimit": _header('`"requests";r=…;t=…`: how many more may follow, and when all may again.'),
    "RateLimit-Policy": _header('`"requests";q=…;w=…`: how many in how many seconds.'),
}
_RETRY = {"Retry-After": _header("Seconds to wait.")}
_WITH_PROBLEMS = {
    401: {"WWW-Authenticate": _header("`Bearer`.")},
    416: {"Content-Range": _header("`bytes */` and how many there are.")},
    429: _RETRY,
    503: _RETRY,
}
_REPLAYED = {"Idempotent-Replayed": _header("`true`: it was carried out before, and not again.")}
_COUNTED_BY_NAME = {name: {"$ref": f"#/components/headers/{name}"} for name in _COUNTED}
