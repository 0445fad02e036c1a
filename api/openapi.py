"""The REST contract as a document: generated from the structs that serve it.

Views say what they take and answer with :func:`operation`; drf-spectacular walks the
URLs; :func:`complete` adds the structs, the problems and the headers.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Annotated, Any, TypeVar

import msgspec
from drf_spectacular.extensions import OpenApiAuthenticationExtension, OpenApiSerializerExtension
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from typing_extensions import override

from api import errors
from api.errors import ChatError
from api.examples import Examples
from api.problems import Problem, status_of
from api.scenes import SCENES

FILE = OpenApiTypes.BINARY  # an answer that is a file, of whichever media type

View = TypeVar("View", bound=Callable[..., Any])

_REF = "#/components/schemas/{name}"
_ALWAYS: tuple[type[ChatError], ...] = (
    errors.InvalidRequest,  # a parameter that is not known, a foreign host name
    errors.RateLimited,
    errors.Internal,
    errors.Unavailable,
)
_SIGNED_IN = (
    errors.NotAuthenticated,
    errors.InvalidToken,
    errors.TokenExpired,
    errors.SessionRevoked,
)
_WITH_BODY = (
    errors.MalformedJson,
    errors.PayloadTooLarge,
    errors.UnsupportedMediaType,
)
_structs: dict[str, type[msgspec.Struct]] = {"Problem": Problem}


class Form(msgspec.Struct, frozen=True):
    """The one body that is no JSON: a form with a file."""

    file: Annotated[str, msgspec.Meta(extra_json_schema={"format": "binary"})]


def operation(
    summary: str,
    *,
    answers: Mapping[int, type[msgspec.Struct] | OpenApiTypes | None],
    body: type[msgspec.Struct] | None = None,
    query: Sequence[OpenApiParameter] = (),
    raises: Sequence[type[ChatError]] = (),
    public: bool = False,
) -> Callable[[View], View]:
    """Describe a view's method; ``raises`` are the refusals beyond the usual ones."""
    refusals = {
        *raises,
        *_ALWAYS,
        *(() if public else _SIGNED_IN),
        *(_WITH_BODY if body else ()),
    }
    for struct in (*answers.values(), body):
        if isinstance(struct, type):
            _structs[struct.__name__] = struct
    codes: dict[int, list[str]] = {}
    for refusal in sorted(refusals, key=lambda item: item.code):
        codes.setdefault(status_of(refusal), []).append(refusal.code)

    def describe(view: View) -> View:
        resource, _, method = view.__qualname__.partition("View.")
        documented: View = extend_schema(
            operation_id=method + resource,
            summary=summary,
            description=f"{summary}.",
            request={"multipart/form-data": body} if body is Form else body,
            responses={
                (status, "*/*") if shape is FILE else status: shape
                for status, shape in answers.items()
            },
            parameters=list(query),
            auth=[] if public else None,
            extensions={"x-codes": codes, "x-body": body and body.__name__},
        )(view)
        return documented

    return describe


def parameter(name: str, description: str, kind: type = str, **limits: Any) -> OpenApiParameter:
    """Describe one query parameter."""
    types = {str: "string", int: "integer"}
    return OpenApiParameter(name, {"type": types[kind], **limits}, description=description)


def limit(high: int = 200) -> OpenApiParameter:
    """Describe ``limit``."""
    return parameter("limit", "Items on a page.", int, minimum=1, maximum=high)


CURSOR = parameter("cursor", "`next_cursor` of the page before.")
PAGED = [limit(), CURSOR]


def number(name: str, description: str) -> OpenApiParameter:
    """Describe a parameter that is a sequence number."""
    return parameter(name, description, int, minimum=0, maximum=2**53 - 1)


class StructSchema(OpenApiSerializerExtension):  # type: ignore[no-untyped-call]
    """Let drf-spectacular take msgspec structs for serializers."""

    target_class = msgspec.Struct
    match_subclasses = True

    @override
    def get_name(self, auto_schema: Any, direction: Any) -> str:
        return str(self.target.__name__)

    @override
    def map_serializer(self, auto_schema: Any, direction: Any) -> dict[str, Any]:
        return dict(_schemas([self.target])[self.target.__name__])


class BearerScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    """How requests are authenticated."""

    target_class = "accounts.authentication.BearerAuthentication"
    name = "bearer"

    @override
    def get_security_definition(self, auto_schema: Any) -> dict[str, Any]:
        return {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"}


class DownloadScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    """How links to files are authenticated."""

    target_class = "accounts.authentication.DownloadAuthentication"
    name = "download_token"

    @override
    def get_security_definition(self, auto_schema: Any) -> dict[str, Any]:
        return {"type": "apiKey", "in": "query", "name": "token"}


def complete(result: dict[str, Any], **_: Any) -> dict[str, Any]:
    """Add the structs' schemas, and to every operation its problems and headers."""
    components = result["components"]
    components["schemas"] = _schemas(_structs.values())
    components["examples"] = {}
    components["headers"] = _COUNTED
    for path in result["paths"].values():
        for method, found in path.items():
            body = found.pop("x-body", None)
            if body and method == "delete":  # whose body drf-spectacular leaves out
                schema = {"$ref": _REF.format(name=body)}
                found["requestBody"] = {"content": {"application/json": {"schema": schema}}}
            if "requestBody" in found:
                found["requestBody"]["required"] = _is_needed(found["requestBody"], result)
            for status, codes in found.pop("x-codes", {}).items():
                found["responses"][str(status)] = _problem(status, codes)
            for answer in found["responses"].values():
                answer.setdefault("headers", {}).update(
                    _ANSWERED | (_COUNTED_BY_NAME if found.get("security") else {})
                )
            found["responses"] = dict(sorted(found["responses"].items()))
            _illustrate(found, result)
    return result


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


def _schemas(structs: Iterable[type[msgspec.Struct]]) -> dict[str, Any]:
    """Return the JSON schemas of structs and of all that they are made of, by name."""
    _, components = msgspec.json.schema_components(structs, ref_template=_REF)
    return dict(sorted(components.items()))


def _problem(status: int, codes: list[str]) -> dict[str, Any]:
    answer: dict[str, Any] = {
        "description": " · ".join(f"`{code}`" for code in codes),
        "content": {"application/problem+json": {"schema": {"$ref": _REF.format(name="Problem")}}},
    }
    if status in (429, 503):
        answer["headers"] = {"Retry-After": _header("Seconds to wait.")}
    return answer


def _header(description: str) -> dict[str, Any]:
    return {"description": description, "schema": {"type": "string"}}


_ANSWERED = {"X-Request-ID": _header("Names the request in logs.")}
_COUNTED = {
    "RateLimit": _header('`"requests";r=…;t=…`: how many more may follow, and when all may again.'),
    "RateLimit-Policy": _header('`"requests";q=…;w=…`: how many in how many seconds.'),
}
_COUNTED_BY_NAME = {name: {"$ref": f"#/components/headers/{name}"} for name in _COUNTED}
