"""Passwords: one hash for every check, whether the account exists or not."""

from django.contrib.auth.hashers import Argon2PasswordHasher, check_password, make_password
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError

from accounts.models import User
from api.errors import InvalidRequest

LENGTH_MAX = 256  # characters; a bound on the work of hashing


class Argon2(Argon2PasswordHasher):
    """Argon2id with OWASP's parameters: 19 MiB, two passes, one lane."""

    time_cost = 2
    memory_cost = 19 * 1024
    parallelism = 1


def hashed(password: str, pointer: str) -> str:
    """Return the hash of a new password.

    Raises:
        InvalidRequest: it is too short, too long or too common; at ``pointer``.
    """
    if len(password) > LENGTH_MAX:
        raise InvalidRequest.at(pointer, f"A password has at most {LENGTH_MAX} characters.")
    try:
        validate_password(password)
    except ValidationError as error:
        raise InvalidRequest.at(pointer, " ".join(error.messages)) from None
    return make_password(password)


def matches(password: str, user: User | None) -> bool:
    """Tell whether the password is this user's; as slow for nobody as for somebody."""
    too_long = len(password) > LENGTH_MAX  # nobody has such a one, whatever it begins with
    if user is None or not user.enabled or not user.has_usable_password() or too_long:
        make_password(password[:LENGTH_MAX])
        return False
    return check_password(password, user.password)
