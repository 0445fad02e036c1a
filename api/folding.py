"""Names found by a part of them, in capitals or not, in every script and on both databases.

SQLite's own comparison knows the capitals of ASCII alone.
"""

from typing import Any

from django.db.models import F
from django.db.models.lookups import IContains

FOLDED = "api_folded"


class _Contains(IContains):
    """Django's, with a function of ours on SQLite."""

    def as_sqlite(self, compiler: Any, connection: Any) -> tuple[str, list[Any]]:
        """Spell it for SQLite."""
        column, parameters = self.process_lhs(compiler, connection)
        return f"instr({FOLDED}({column}), %s) > 0", [*parameters, _folded(self.rhs)]


def containing(column: str, text: str) -> IContains:
    """Return the condition that a column contains a text, whatever is a capital in either."""
    return _Contains(F(column), text)


def connected(connection: Any, **_: Any) -> None:
    """Receive ``connection_created``."""
    if connection.vendor == "sqlite":
        connection.connection.create_function(FOLDED, 1, _folded, deterministic=True)


def _folded(text: str | None) -> str | None:
    return None if text is None else "".join(map(_capital, text))


def _capital(letter: str) -> str:
    """Return the letter as PostgreSQL has it, which makes one letter of one."""
    capital = letter.upper()
    return capital if len(capital) == 1 else letter
