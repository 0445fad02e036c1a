"""Uploads at the door: from those who may send them, a few at once, on disk before any thread."""

import io
import uuid
from collections import Counter
from contextlib import ExitStack

from django.db import InterfaceError, OperationalError

from accounts.authentication import bearer, bearer_token
from api.errors import ChatError, RateLimited
from config.bodies import Body, received_on_disk
from config.lanes import Lane
from config.messages import Receive, Scope, header
from realtime import pool

EACH_AT_ONCE = 5  # uploads of one person: else a few people hold the disk of everybody
IMAGES_AT_ONCE = 2  # an image is up to 120 MB and some seconds while it is made anew
WAITING_MAX = 64


class Uploads:
    """The uploads that a process is receiving, and those whose turn is to come."""

    def __init__(self) -> None:
        self._lane = Lane(IMAGES_AT_ONCE, WAITING_MAX)
        self._coming = Counter[uuid.UUID]()

    async def received(self, scope: Scope, receive: Receive, held: ExitStack) -> Body | None:
        """Read an upload and wait for its turn, given up with what is ``held``.

        Nothing is read of those who are not signed in: they are told so without it.

        Raises:
            PayloadTooLarge, BodyTooLate: as ``bodies.received``.
            RateLimited: this person is sending too many already.
            Unavailable: too many wait.
        """
        sender = await pool.run(_sender, header(scope, b"authorization").decode("latin-1"))
        if sender is None:
            return io.BytesIO()
        if self._coming[sender] >= EACH_AT_ONCE:
            raise RateLimited(f"At most {EACH_AT_ONCE} uploads at once.")
        self._coming[sender] += 1
        try:
            body = await received_on_disk(scope, receive)
        finally:
            self._coming[sender] -= 1
            self._coming += Counter()  # forgets those who send nothing
        if body is not None:
            await self._turn(body, held)
        return body

    async def _turn(self, body: Body, held: ExitStack) -> None:
        try:
            await self._lane.turn()
        except BaseException:  # also a cancelled request: nobody else would close it
            body.close()
            raise
        held.callback(self._lane.give_up)


def _sender(authorization: str) -> uuid.UUID | None:
    try:
        token = bearer_token(authorization)
        return None if token is None else bearer(token, "access")[0].user.id
    except (ChatError, OperationalError, InterfaceError):  # the view finds the same, and says it
        return None
