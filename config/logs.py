"""How log lines look, and what never reaches one: query strings, tokens included.

Whatever a client sends stays inside its line: control characters are escaped in both formats,
those too that a terminal obeys and JSON lets through.
"""

import json
import logging
import re
from datetime import UTC, datetime
from typing import Any

from typing_extensions import override

from api.codec import instant
from api.tracing import connection_id, request_id

_QUERY = re.compile(r"\?[^\s\"']*")
_TEXT = "%(asctime)s %(levelname)s %(name)s: %(message)s"


class NoQuery(logging.Filter):
    """Cut the query off every path in a record."""

    @override
    def filter(self, record: logging.LogRecord) -> bool:
        message = record.getMessage()
        if "?" in message:
            record.msg, record.args = without_query(message), None
        return True


class JsonLines(logging.Formatter):
    """One object for each record, in ASCII: half a surrogate pair is no reason to lose one."""

    @override
    def format(self, record: logging.LogRecord) -> str:
        fields: dict[str, Any] = {
            "time": instant(datetime.fromtimestamp(record.created, UTC)),
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
            "process": record.process,
        }
        for variable in (request_id, connection_id):
            if named := variable.get():
                fields[variable.name] = named
        if record.exc_info:
            fields["traceback"] = without_query(self.formatException(record.exc_info))
        return json.dumps(fields)


class TextLines(logging.Formatter):
    """For people: the line, and the traceback below it, which is set off."""

    def __init__(self) -> None:
        super().__init__(_TEXT)

    @override
    def formatMessage(self, record: logging.LogRecord) -> str:
        return printable(super().formatMessage(record))

    @override
    def formatException(self, ei: Any) -> str:
        traceback = without_query(super().formatException(ei))
        return "\n".join("  | " + printable(line) for line in traceback.split("\n"))


def printable(text: str) -> str:
    """Return a text with everything escaped that is not to be seen, line ends included."""
    if text.isprintable():
        return text
    return "".join(
        char if char.isprintable() else char.encode("unicode_escape").decode() for char in text
    )


def without_query(text: str) -> str:
    """Return a text without what follows a question mark."""
    return _QUERY.sub("?…", text)
