"""The tables of docs/roles.md: one row per call and case, one cell per role."""

import re
from collections.abc import Iterator
from typing import NamedTuple

from typing_extensions import override

from tests.servers import PROJECT

PAGE = "docs/roles.md"
ROLES = ("reader", "member", "moderator", "admin", "owner")
SIGNED_IN = ("stranger", "former member", *ROLES)
EVERYBODY = ("nobody", *SIGNED_IN)
NO_SUCH_CASE, HIDDEN = "-", "without"


class Row(NamedTuple):
    """What comes of a call, by the role of whoever makes it."""

    table: str
    call: str
    case: str
    cells: dict[str, str]

    @property
    def acted(self) -> dict[str, str]:
        """The cells that there is something to do for."""
        return {role: cell for role, cell in self.cells.items() if cell != NO_SUCH_CASE}

    @property
    def shows(self) -> bool:
        """Whether what was asked about occurs in some of the answers only."""
        return any(cell.endswith(HIDDEN) for cell in self.acted.values())

    @override
    def __str__(self) -> str:
        return f"{self.table}: {self.call} {self.case}".strip()


def rows(*tables: str) -> list[Row]:
    """Return the rows of these tables, given by their headings."""
    found = [row for row in _all_rows() if row.table in tables]
    assert {row.table for row in found} == set(tables)
    return found


def _all_rows() -> Iterator[Row]:
    heading, columns = "", [""]
    for line in (PROJECT / PAGE).read_text().splitlines():
        if line.startswith("## "):
            heading = line.removeprefix("## ")
        elif not line.startswith("|"):
            columns = []
        elif not columns:
            columns = _cells(line)
        elif not re.fullmatch(r"[|-]+", line):
            call, case, *cells = _cells(line)
            assert len(cells) == len(columns) - 2, line
            by_column = dict(zip(columns[2:], cells, strict=True))
            yield Row(heading, call.replace("`", ""), case.replace("`", ""), _by_role(by_column))


def _cells(line: str) -> list[str]:
    return [cell.strip() for cell in line.strip("|").split("|")]


def _by_role(by_column: dict[str, str]) -> dict[str, str]:
    by_role: dict[str, str] = {}
    for column, cell in by_column.items():
        roles = SIGNED_IN if column == "signed in" else (column,)
        by_role |= dict.fromkeys(roles, cell)
    assert by_role.keys() <= set(EVERYBODY), by_column
    return by_role
