"""What operators ask a process: is it alive, should it get traffic."""

from django.db import DatabaseError, connection
from django.http import HttpRequest, HttpResponse

from api.codec import encode
from realtime import here


def healthz(_: HttpRequest) -> HttpResponse:
    """Say that the process is alive."""
    return _json({"status": "ok"}, 200)


def readyz(_: HttpRequest) -> HttpResponse:
    """Say whether the process should get traffic.

    A channel layer that is away makes it ``degraded``, not unready: writes are durable and
    news are delivered from the log, so taking the process away would only make it worse.
    """
    found = here.running()
    draining = found is not None and found.hub.draining
    database = _database()
    layer = found is None or found.hub.broker.ok
    if draining or not database:
        status = "draining" if draining else "unready"
    else:
        status = "ready" if layer else "degraded"
    checks = {"database": database, "channel_layer": layer, "draining": draining}
    return _json({"status": status, "checks": checks}, 200 if database and not draining else 503)


def _database() -> bool:
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except DatabaseError:
        connection.close()
        return False
    return True


def _json(value: object, status: int) -> HttpResponse:
    response = HttpResponse(encode(value), status=status, content_type="application/json")
    if status == 503:
        response["Retry-After"] = "1"
        response._has_been_logged = True  # type: ignore[attr-defined]  # an answer, no failure
    return response
