"""What integrators look up: the public keys with which they verify access tokens themselves."""

from django.http import HttpRequest, HttpResponse

from accounts import keys
from api.codec import encode

CACHED_SECONDS = 5  # what a process has read is as old: others know a new key before it signs


def jwks(_: HttpRequest) -> HttpResponse:
    """Show the public keys of the ring (RFC 7517); none, where secrets sign."""
    found = [key.jwk for key in keys.current().keys if key.jwk is not None]
    response = HttpResponse(encode({"keys": found}), content_type="application/jwk-set+json")
    response["Cache-Control"] = f"public, max-age={CACHED_SECONDS}"
    return response
