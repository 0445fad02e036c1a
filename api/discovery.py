"""What this server can do: read it before you use it."""

from django.conf import settings
from django.http import HttpResponse
from rest_framework.request import Request

from api.codec import Payload
from api.limits import Limits
from api.openapi import operation
from api.rest import Endpoint, Query, answer

VERSION = "1.0.0"
PROTOCOLS = ["gapless.v1"]
FEATURES = [
    "rooms",
    "direct_rooms",
    "moderation",
    "messages",
    "threads",
    "reactions",
    "pins",
    "attachments",
    "avatars",
    "read_markers",
    "receipts",
    "drafts",
    "invitations",
    "notifications",
    "scheduled_messages",
    "sync",
    "blocks",
    "mentions",
    "search",
    "export",
    "typing",
    "presence",
]


class Discovery(Payload):
    """Version, protocols, features and limits; clients ignore what they do not know."""

    version: str
    protocols: list[str]
    features: list[str]
    limits: Limits


class DiscoveryView(Endpoint):
    authentication_classes = ()
    permission_classes = ()

    @operation("What this server can do", answers={200: Discovery}, public=True)
    def get(self, request: Request) -> HttpResponse:
        Query(request)  # none
        return answer(
            Discovery(
                version=VERSION,
                protocols=PROTOCOLS,
                features=FEATURES,
                limits=settings.LIMITS,
            )
        )
