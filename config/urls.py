"""Every path of the HTTP door."""

from django.urls import include, path, re_path

from config import documents, exposition, operations, well_known

urlpatterns = [
    path("api/v1", include("api.urls")),
    path("api/v1/", include("realtime.urls")),
    path("healthz", operations.healthz),
    path("readyz", operations.readyz),
    path("metrics", exposition.exposition),
    path("docs", documents.docs),
    path(".well-known/jwks.json", well_known.jwks),
    re_path(r"^(?P<name>(?:openapi|asyncapi)\.yaml)$", documents.document),
]

handler400 = "api.problems.bad_request"
handler404 = "api.problems.no_such_path"
handler500 = "api.problems.broken"
