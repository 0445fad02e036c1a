"""What accounts no longer have to remember; run by the upkeep."""

from datetime import datetime, timedelta

from django.db.models import Q

from accounts.models import Session, UsedSocketToken

USED_KEPT = timedelta(minutes=1)  # beyond its end, so that no clock lets a token in again
ENDED_KEPT = timedelta(days=30)  # so long a refresh token of it says that it was revoked


def forget_used_socket_tokens(moment: datetime) -> None:
    """Forget the tokens that nobody would take any more."""
    UsedSocketToken.objects.filter(expires_at__lt=moment - USED_KEPT).delete()


def forget_ended_sessions(moment: datetime) -> None:
    """Forget sessions that ended long ago, with all their refresh tokens."""
    gone = moment - ENDED_KEPT
    Session.objects.filter(Q(revoked_at__lt=gone) | Q(expires_at__lt=gone)).delete()
