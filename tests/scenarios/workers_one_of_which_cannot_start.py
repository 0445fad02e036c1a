"""Two workers: one cannot start, the other would stay. Prints whether they could start."""

import json
import os
import signal
import sys

from uvicorn.config import STARTUP_FAILURE

from realtime.workers import Workers

told, tells = os.pipe()
os.write(tells, b"!")
os.set_blocking(told, False)


def work(_: int) -> None:
    """Fail in the worker that is the first to be told."""
    try:
        os.read(told, 1)
    except BlockingIOError:
        signal.pause()
    else:
        sys.exit(STARTUP_FAILURE)


print(json.dumps(Workers([], work).run(2)))
