"""Which host names are answered: those of ALLOWED_HOSTS; operators come under any name."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponseBase

PROBES = ("/healthz", "/readyz", "/metrics")  # orchestrators ask by address

Handler = Callable[[HttpRequest], HttpResponseBase]


def known_hosts(get_response: Handler) -> Handler:
    """Refuse a foreign host name before anything else looks at the request."""

    def middleware(request: HttpRequest) -> HttpResponseBase:
        if request.path not in PROBES:
            request.get_host()  # raises DisallowedHost, which is answered with 400
        return get_response(request)

    return middleware
