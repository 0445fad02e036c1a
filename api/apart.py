"""Doing something to each of many, so that one that fails keeps no other waiting."""

from collections.abc import Callable, Iterable
from typing import TypeVar

from django.db import InterfaceError, OperationalError

Item = TypeVar("Item")


def each_apart(items: Iterable[Item], act: Callable[[Item], object]) -> None:
    """Do this to each of these; what some have raised is raised when all have had their turn.

    Raises:
        ExceptionGroup: of what went wrong.
        OperationalError, InterfaceError: at once, as the database is away from all of them.
    """
    errors: list[Exception] = []
    for item in items:
        try:
            act(item)
        except (OperationalError, InterfaceError):
            raise
        except Exception as error:  # noqa: BLE001  whatever it is: the others come first
            errors.append(error)
    if errors:
        raise ExceptionGroup("Some have failed.", errors)
