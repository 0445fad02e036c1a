"""Mounts the slices below ``/api/v1``."""

from django.urls import URLPattern, URLResolver, include, path

from api import catch_up, discovery

urlpatterns: list[URLPattern | URLResolver] = [
    path("", discovery.DiscoveryView.as_view()),
    path("/", include("api.messages.urls")),  # what is asked for most is looked for first
    path("/", include("accounts.urls")),
    path("/", include("api.sync.urls")),
    path("/", include("api.rooms.urls")),
    path("/", include("api.attachments.urls")),
    path("/", include("api.drafts.urls")),
    path("/", include("api.invitations.urls")),
    path("/", include("api.threads.urls")),
    path("/", include("api.receipts.urls")),
    path("/", include("api.search.urls")),
    path("/", include("api.scheduled.urls")),
    path("/", include("api.exports.urls")),
    path("/", include("api.inbox.urls")),
    path("/", include("api.people.urls")),
    path("/", include("api.blocks.urls")),
    path("/", include("api.moderation.urls")),
    path("/me/events", catch_up.MyEventsView.as_view()),
    path("/rooms/<uuid:room_id>/events", catch_up.RoomEventsView.as_view()),
]
