"""What can be refused: a code that is stable for ever and a kind, but no status.

Two doors translate these: ``api/problems.py`` for REST, ``realtime/protocol.py`` for
sockets. Codes are those of the contract; they are added to, never renamed.
"""

from collections.abc import Sequence
from enum import Enum
from typing import ClassVar, NamedTuple

RETRY_AFTER_SECONDS = 1  # where nobody knows better


class Kind(Enum):
    """The family of a refusal; a door turns it into its own language."""

    INVALID = "invalid"
    UNAUTHENTICATED = "unauthenticated"
    FORBIDDEN = "forbidden"
    MISSING = "missing"
    WRONG_METHOD = "wrong_method"
    CONFLICT = "conflict"
    TOO_LARGE = "too_large"
    WRONG_MEDIA = "wrong_media"
    NO_SUCH_PART = "no_such_part"
    TOO_MANY = "too_many"
    BROKEN = "broken"
    UNAVAILABLE = "unavailable"


class Fault(NamedTuple):
    """One thing that is wrong with an input; ``pointer`` is an RFC 6901 pointer."""

    pointer: str
    detail: str


class ChatError(Exception):
    """A refusal that a client is told about.

    ``retryable`` means that the same request, unchanged, may succeed later; ``retry_after``,
    in seconds, is said of all that were too many or came when nobody could answer.
    """

    code: ClassVar[str]
    kind: ClassVar[Kind]
    retryable: ClassVar[bool] = False
    default_detail: ClassVar[str]
    default_retry_after: ClassVar[int | None] = None

    def __init__(
        self,
        detail: str | None = None,
        *,
        errors: Sequence[Fault] = (),
        retry_after: int | None = None,
    ) -> None:
        self.detail = detail or self.default_detail
        self.errors = tuple(errors)
        self.retry_after = self.default_retry_after if retry_after is None else retry_after
        super().__init__(self.detail)


class InvalidRequest(ChatError):
    code, kind = "invalid_request", Kind.INVALID
    default_detail = "The request is not valid."

    @classmethod
    def at(cls, pointer: str, detail: str) -> "InvalidRequest":
        """Refuse one field, named by its RFC 6901 pointer."""
        return cls(detail, errors=[Fault(pointer, detail)])


class MalformedJson(ChatError):
    code, kind = "malformed_json", Kind.INVALID
    default_detail = "The body is not JSON."


class NotSupported(ChatError):
    code, kind = "not_supported", Kind.INVALID
    default_detail = "This server does not support that."


class NotAuthenticated(ChatError):
    code, kind = "not_authenticated", Kind.UNAUTHENTICATED
    default_detail = "An access token is needed."


class InvalidToken(ChatError):
    code, kind = "invalid_token", Kind.UNAUTHENTICATED
    default_detail = "The token is not valid."


class TokenExpired(ChatError):
    code, kind = "token_expired", Kind.UNAUTHENTICATED
    default_detail = "The token has expired."


class SessionRevoked(ChatError):
    code, kind = "session_revoked", Kind.UNAUTHENTICATED
    default_detail = "The session has ended."


class RefreshReused(ChatError):
    code, kind = "refresh_reused", Kind.UNAUTHENTICATED
    default_detail = "The refresh token was used before; the session has been ended."


class InvalidCredentials(ChatError):
    code, kind = "invalid_credentials", Kind.UNAUTHENTICATED
    default_detail = "The username or the password is wrong."


class PermissionDenied(ChatError):
    code, kind = "permission_denied", Kind.FORBIDDEN
    default_detail = "This is not allowed for you."


class Muted(ChatError):
    code, kind = "muted", Kind.FORBIDDEN
    default_detail = "You are muted in this room."


class NotFound(ChatError):
    code, kind = "not_found", Kind.MISSING
    default_detail = "There is no such thing, or it is not yours to see."


class MethodNotAllowed(ChatError):
    code, kind = "method_not_allowed", Kind.WRONG_METHOD
    default_detail = "This method is not allowed here."


class UsernameTaken(ChatError):
    code, kind = "username_taken", Kind.CONFLICT
    default_detail = "This username is taken, or looks like one that is."


class IdempotencyConflict(ChatError):
    code, kind = "idempotency_conflict", Kind.CONFLICT
    default_detail = "This key was used before, with other content."


class Conflict(ChatError):
    code, kind = "conflict", Kind.CONFLICT
    default_detail = "This does not fit the present state."


class StillRunning(Conflict):
    retryable = True
    default_detail = "The first request with this key is still running."


class RoomArchived(ChatError):
    code, kind = "room_archived", Kind.CONFLICT
    default_detail = "The room is archived: it can be read only."


class LimitReached(ChatError):
    code, kind = "limit_reached", Kind.CONFLICT
    default_detail = "A limit has been reached."


class PayloadTooLarge(ChatError):
    code, kind = "payload_too_large", Kind.TOO_LARGE
    default_detail = "The body is too large."


class UnsupportedMediaType(ChatError):
    code, kind = "unsupported_media_type", Kind.WRONG_MEDIA
    default_detail = "The body is of another media type than this takes."


class RangeNotSatisfiable(ChatError):
    code, kind = "range_not_satisfiable", Kind.NO_SUCH_PART
    default_detail = "The part that is asked for lies behind the end."


class SlowMode(ChatError):
    code, kind, retryable = "slow_mode", Kind.TOO_MANY, True
    default_retry_after = RETRY_AFTER_SECONDS
    default_detail = "The room is in slow mode."


class RateLimited(ChatError):
    code, kind, retryable = "rate_limited", Kind.TOO_MANY, True
    default_retry_after = RETRY_AFTER_SECONDS
    default_detail = "Too much at once."


class Internal(ChatError):
    code, kind, retryable = "internal", Kind.BROKEN, True
    default_detail = "Something went wrong on our side."


class Unavailable(ChatError):
    code, kind, retryable = "unavailable", Kind.UNAVAILABLE, True
    default_retry_after = RETRY_AFTER_SECONDS
    default_detail = "The service cannot answer right now."
