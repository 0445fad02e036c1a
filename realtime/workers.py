"""Several processes that share their sockets: started, replaced, told to stop, waited for.

uvicorn's own supervisor is not used: it passes no second signal on, makes SIGTERM of
SIGINT, keeps the port while its workers drain, and leaves them behind when it is killed.
"""

import logging
import multiprocessing
import os
import signal
import socket
import time
from collections.abc import Callable, Sequence
from multiprocessing.context import ForkProcess

from uvicorn.config import STARTUP_FAILURE

HURRY = signal.SIGUSR1  # the second signal: a worker may get the first one twice
PAUSE_SECONDS = 1  # before others take the places of the dead: they may die as soon
WATCHED = {signal.SIGTERM, signal.SIGINT, signal.SIGCHLD}
FORK = multiprocessing.get_context("fork")  # no thread runs yet; what is loaded is shared

log = logging.getLogger(__name__)


class Workers:
    """Processes that do the same work at the same sockets, led by this one.

    ``work`` gets the id of this process: a worker whose parent is another has been left
    behind. It ends on SIGTERM and SIGINT, and takes its time until :data:`HURRY`. Any of them
    may come more than once, as whoever stops a service often tells all its processes.
    """

    def __init__(self, sockets: Sequence[socket.socket], work: Callable[[int], None]) -> None:
        self._sockets = sockets
        self._work = work
        self._processes: list[ForkProcess] = []
        self._ending = False
        self._failed = False

    def run(self, count: int) -> bool:
        """Keep ``count`` of them at work until told to stop; tell whether they could start."""
        signal.signal(signal.SIGCHLD, lambda *_: None)  # what is ignored cannot be waited for
        signal.pthread_sigmask(signal.SIG_BLOCK, WATCHED)
        self._start(count)
        while self._processes:
            found = signal.Signals(signal.sigwait(WATCHED))
            if found == signal.SIGCHLD:
                self._replace()
            else:
                self._end(found)
        return not self._failed

    def _start(self, count: int) -> None:
        for _ in range(count):
            process = FORK.Process(target=_begin, args=(self._work, os.getpid()))
            process.start()
            self._processes.append(process)

    def _replace(self) -> None:
        gone = [process for process in self._processes if process.exitcode is not None]
        for process in gone:
            self._processes.remove(process)
            if process.exitcode == STARTUP_FAILURE:  # so would the next one
                self._failed = True
            elif not self._ending:
                log.warning("worker %s ended (%s), replaced", process.pid, process.exitcode)
        if self._failed and not self._ending:
            self._end(signal.SIGINT)
        if gone and not self._ending:
            time.sleep(PAUSE_SECONDS)
            self._start(len(gone))

    def _end(self, found: signal.Signals) -> None:
        for process in self._processes:
            if process.pid is not None and process.exitcode is None:
                os.kill(process.pid, HURRY if self._ending else found)
        self._ending = True
        for shared in self._sockets:  # else who connects when the workers listen no more waits
            shared.close()


def _begin(work: Callable[[int], None], supervisor: int) -> None:
    """Take signals again, those included that came since the fork."""
    for kind in WATCHED:
        signal.signal(kind, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, WATCHED)
    work(supervisor)
