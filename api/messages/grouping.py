"""One writer for a process: sends that wait at the same moment share a transaction.

A commit costs as much for one message as for sixty. While the writer commits, what comes over
REST and over sockets waits in one queue; then it takes all of that, in order. Whoever sent is
answered after the commit. The plain path beside it is ``actions.send_message``.
"""

from collections import deque
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextvars import Context, copy_context
from typing import NamedTuple

from django.conf import settings
from django.db import InterfaceError, OperationalError, close_old_connections

from api.errors import ChatError, Unavailable
from api.messages.schemas import Sent
from api.messages.sending import Send, send_all
from api.problems import translated

GROUP_MAX = 64  # messages in one transaction: more would only make the first wait
WAITING_MAX = 5_000  # messages of one process that wait: seconds, when the database stands still
_TOLD_AT_ONCE = (ChatError, OperationalError, InterfaceError)  # to each of a group


class _Waiting(NamedTuple):
    send: Send
    sent: Future[Sent]
    context: Context  # whose request it is, for the log


_queue: deque[_Waiting] = deque()
_writer = ThreadPoolExecutor(1, thread_name_prefix="sends")


def submit(send: Send) -> Future[Sent] | None:
    """Have something said together with what else waits; None where sends go one by one.

    The future raises what ``actions.send_message`` raises.

    Raises:
        Unavailable: too much waits already.
    """
    if not settings.GROUP_SENDS:
        return None
    if len(_queue) >= WAITING_MAX:
        raise Unavailable("Too many sends at once.")
    sent: Future[Sent] = Future()
    _queue.append(_Waiting(send, sent, copy_context()))
    _writer.submit(_write_what_waits)
    return sent


def _write_what_waits() -> None:
    group: list[_Waiting] = []
    while _queue and len(group) < GROUP_MAX:
        group.append(_queue.popleft())
    try:
        _write(group)
    finally:
        close_old_connections()  # only one that has failed: CONN_MAX_AGE is None


def _write(group: Sequence[_Waiting]) -> None:
    outcomes = send_all([waiting.send for waiting in group])
    for waiting, outcome in zip(group, outcomes, strict=True):
        if isinstance(outcome, Sent):
            waiting.sent.set_result(outcome)
        elif len(group) == 1 or isinstance(outcome, _TOLD_AT_ONCE):
            waiting.sent.set_exception(waiting.context.run(translated, outcome))
        else:  # it may be the fault of another one
            _write([waiting])
