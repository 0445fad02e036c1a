"""The REST contract as a document: generated from the structs that serve it.

Views say what they take and answer with :func:`operation`; drf-spectacular walks the
URLs; ``document.complete`` adds the structs, the problems, the headers and the examples.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Annotated, Any, TypeVar, cast

import msgspec
from drf_spectacular.extensions import OpenApiAuthenticationExtension, OpenApiSerializerExtension
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from typing_extensions import override

from api import errors
from api.errors import ChatError
from api.problems import Problem, status_of

FILE = OpenApiTypes.BINARY  # an answer that is a file, of whichever media type

View = TypeVar("View", bound=Callable[..., Any])

REF = "#/components/schemas/{name}"
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
DOCUMENTED: dict[str, type[msgspec.Struct]] = {"Problem": Problem}


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
    """Describe a view's method; ``raises`` are the refusals beyond the usual ones.

    One that may be ``StillRunning`` takes an ``Idempotency-Key``.
    """
    for struct in (*answers.values(), body):
        if isinstance(struct, type):
            DOCUMENTED[struct.__name__] = struct

    def describe(view: View) -> View:
        resource, _, method = view.__qualname__.partition("View.")
        reads = method == "get"
        refusals = {
            *raises,
            *_ALWAYS,
            *(() if public else _SIGNED_IN),
            *(() if reads else _WITH_BODY),
        }
        codes: dict[int, list[str]] = {}
        for code, status in sorted({(refusal.code, status_of(refusal)) for refusal in refusals}):
            codes.setdefault(status, []).append(code)
        documented: Any = extend_schema(
            operation_id=method + resource,
            summary=summary,
            description=f"{summary}.",
            request={"multipart/form-data": body} if body is Form else body,
            responses={
                (status, "*/*") if shape is FILE else status: shape
                for status, shape in answers.items()
            },
            parameters=[*query, *([_KEY] if errors.StillRunning in refusals else [])],
            auth=[] if public else None,
            extensions={"x-codes": codes, "x-body": body and body.__name__},
        )(view)
        documented.takes_body = reads or body is not None  # of a read, nobody looks at it
        return cast(View, documented)

    return describe


_KEY = OpenApiParameter(
    "Idempotency-Key",
    {"type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[ -~]+$"},
    location=OpenApiParameter.HEADER,
    description="Names the request: sent again within 24 hours, with the same key and the same "
    "body, it is not carried out again, and gets the first answer.",
)


def parameter(name: str, description: str, kind: type = str, **limits: Any) -> OpenApiParameter:
    """Describe one query parameter."""
    types = {str: "string", int: "integer"}
    return OpenApiParameter(name, {"type": types[kind], **limits}, description=description)


def header(name: str, description: str, *, answers: Sequence[int] = ()) -> OpenApiParameter:
    """Describe a header of a request, or of these of its answers."""
    return OpenApiParameter(
        name,
        location=OpenApiParameter.HEADER,
        response=list(answers) or False,
        description=description,
    )


def limit(high: int = 200) -> OpenApiParameter:
    """Describe ``limit``."""
    return parameter("limit", "Items on a page.", int, minimum=1, maximum=high)


CURSOR = parameter("cursor", "`next_cursor` of the page before.")
PAGED = [limit(), CURSOR]


def number(name: str, description: str) -> OpenApiParameter:
    """Describe a parameter that is a sequence number."""
    return parameter(name, description, int, minimum=0, maximum=2**53 - 1)


WINDOWED = [
    number("before", "Only numbers below this one."),
    number("after", "Only numbers above this one."),
    number("around", "The neighbourhood of this number, itself included."),
    limit(),
]


class StructSchema(OpenApiSerializerExtension):  # type: ignore[no-untyped-call]
    """Let drf-spectacular take msgspec structs for serializers."""

    target_class = msgspec.Struct
    match_subclasses = True

    @override
    def get_name(self, auto_schema: Any, direction: Any) -> str:
        return str(self.target.__name__)

    @override
    def map_serializer(self, auto_schema: Any, direction: Any) -> dict[str, Any]:
        return dict(schemas_of([self.target])[self.target.__name__])


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


def schemas_of(structs: Iterable[type[msgspec.Struct]]) -> dict[str, Any]:
    """Return the JSON schemas of structs and of all that they are made of, by name."""
    _, components = msgspec.json.schema_components(structs, ref_template=REF)
    return dict(sorted(components.items()))
