"""How bodies become bytes: JSON, whatever is asked for. DRF's side of the codec."""

from collections.abc import Mapping
from typing import IO, Any

from rest_framework.negotiation import BaseContentNegotiation
from rest_framework.parsers import BaseParser
from rest_framework.request import Request
from typing_extensions import override


class JsonParser(BaseParser):
    """Leave the bytes to the view: they are decoded straight into its struct."""

    media_type = "application/json"

    @override
    def parse(
        self,
        stream: IO[bytes],
        media_type: str | None = None,
        parser_context: Mapping[str, Any] | None = None,
    ) -> Any:
        return stream.read()


def raw_body(request: Request) -> bytes:
    """Return the bytes of a request's body; an absent one counts as ``{}``.

    Raises:
        UnsupportedMediaType: they are said to be something else than JSON.
    """
    raw: Any = request.data  # empty form data, where there is no body at all
    return raw if isinstance(raw, bytes) and raw else b"{}"


class JsonOnly(BaseContentNegotiation):
    """JSON whatever is asked for: an API has one language."""

    @override
    def select_parser(self, request: Request, parsers: Any) -> Any:
        content_type = (request.content_type or "").partition(";")[0].strip().lower()
        return parsers[0] if content_type in ("", "application/json") else None

    @override
    def select_renderer(
        self, request: Request, renderers: Any, format_suffix: str | None = None
    ) -> Any:
        return renderers[0], renderers[0].media_type
