"""The contract as files, and a page to read and try it: own assets, a strict policy."""

from functools import cache

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render

from config import env

DOCUMENTS = ("openapi.yaml", "asyncapi.yaml")
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'"
)


@cache
def _text(name: str) -> bytes:
    return (env.PROJECT / name).read_bytes()


def document(_: HttpRequest, name: str) -> HttpResponse:
    """Serve one of the contract's files."""
    if name not in DOCUMENTS:
        raise Http404
    response = HttpResponse(_text(name), content_type="application/yaml")
    response["Cache-Control"] = "public, max-age=300"
    return response


def docs(request: HttpRequest) -> HttpResponse:
    """Serve the interactive documentation."""
    response = render(request, "docs.html")
    response["Content-Security-Policy"] = POLICY
    return response
