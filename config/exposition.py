"""``/metrics``: what this process has counted, in the text format of Prometheus."""

import hmac
import ipaddress
import os
import time
from collections.abc import Iterator

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector
from typing_extensions import override

from api import metrics
from config.messages import Scope
from realtime import here

METHODS = {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"}
FORWARDED = ("X-Forwarded-For", "X-Forwarded-Host", "X-Real-IP", "Forwarded", "Via")


def exposition(request: HttpRequest) -> HttpResponse:
    """Show the figures to this machine, and to whoever has ``METRICS_TOKEN``."""
    if not (_has_token(request) or _is_this_machine(request)):
        raise Http404
    text = generate_latest(_ThisProcess())
    return HttpResponse(text, content_type=CONTENT_TYPE_LATEST)


def _has_token(request: HttpRequest) -> bool:
    token, wanted = request.headers.get("Authorization", ""), settings.ENV.metrics_token
    return wanted is not None and hmac.compare_digest(token.encode(), f"Bearer {wanted}".encode())


def _is_this_machine(request: HttpRequest) -> bool:
    """Tell whether the peer itself is here, of whom no header tells anything else."""
    if settings.TRUSTED_PROXY_COUNT or any(name in request.headers for name in FORWARDED):
        return False
    try:
        return ipaddress.ip_address(request.META["REMOTE_ADDR"]).is_loopback
    except ValueError:  # a socket of the file system has no address
        return False


def observe(scope: Scope, status: int, began: float) -> None:
    """Count a request that has been answered; ``began`` is of ``time.perf_counter``."""
    method = scope["method"] if scope["method"] in METHODS else "other"
    route = scope.get("gapless.route", "none")
    metrics.requests.labels(route, method, status).inc()
    metrics.request_seconds.labels(route, method).observe(time.perf_counter() - began)


class _ThisProcess(Collector):
    """All that there is, each sample with the process that it is of."""

    @override
    def collect(self) -> Iterator[Metric]:
        process = {"process": str(os.getpid())}
        for metric in (*metrics.REGISTRY.collect(), *_of_the_hub()):
            metric.samples = [
                sample._replace(labels=process | sample.labels) for sample in metric.samples
            ]
            yield metric


def _of_the_hub() -> Iterator[Metric]:
    """Read at the moment of asking what nobody has to count."""
    written = metrics.frames.written
    yield CounterMetricFamily("gapless_frames_written", "Frames given to sockets.", written)
    found = here.running()
    if found is not None:
        for name, meaning, value in (
            ("sockets", "Sockets that are open.", len(found.hub.connections)),
            (
                "channel_layer_up",
                "Whether the channel layer took the last frame.",
                found.hub.broker.ok,
            ),
            ("draining", "Whether the process is about to end.", found.hub.draining),
        ):
            yield GaugeMetricFamily(f"gapless_{name}", meaning, value)
