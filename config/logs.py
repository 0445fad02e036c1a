"""What never reaches a log: the query strings that servers print, tokens included."""

import logging
import re

from typing_extensions import override

_QUERY = re.compile(r"\?[^\s\"']*")


class NoQuery(logging.Filter):
    """Cut the query off every path in a record."""

    @override
    def filter(self, record: logging.LogRecord) -> bool:
        message = record.getMessage()
        if "?" in message:
            record.msg, record.args = _QUERY.sub("?…", message), None
        return True
