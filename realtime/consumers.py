"""ASGI messages ↔ protocol: one socket, from its handshake to its end. No rules of the domain."""

import asyncio
import sys
import uuid
from concurrent.futures import Future
from typing import Any

from channels.consumer import AsyncConsumer, get_handler_name
from channels.exceptions import StopConsumer
from django.conf import settings
from typing_extensions import override

from api import commands, metrics, tracing
from api.codec import Payload, shaped
from api.errors import ChatError, Conflict, InvalidRequest, NotAuthenticated, RateLimited
from api.problems import translated
from realtime import close_codes, here, pool, protocol
from realtime.auth import Identity, address_of, identify
from realtime.begun import Begun
from realtime.clocks import seconds_until
from realtime.close_codes import Close
from realtime.conduct import Conduct
from realtime.connection import Connection
from realtime.greeting import hello
from realtime.lifetime import Lifetime
from realtime.moments import SayActive, SayTyping
from realtime.protocol import BadFrame, Command, CommandId
from realtime.subscribing import Subscriber

COUNTED = {*protocol.OWN_COMMANDS, *commands.TABLE} - {"ping"}  # what one may not do too fast


class ChatConsumer(AsyncConsumer):
    """One client's socket. Commands are begun one after the other, as they came."""

    channel_layer_alias = None  # only the hub reads the channel layer

    @override
    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        self.scope = scope
        self.base_send = send
        try:
            while True:
                await self.dispatch(await receive())
        except StopConsumer:
            pass
        finally:
            self._gone()

    @override
    async def dispatch(self, message: dict[str, Any]) -> None:
        """Call the handler at once; Channels' own would hop to a thread first."""
        await getattr(self, get_handler_name(message))(message)

    async def websocket_connect(self, _: dict[str, Any]) -> None:
        """Accept, also what is refused: a browser sees no reason of a failed handshake."""
        limits = settings.LIMITS
        self.loop = asyncio.get_running_loop()
        self.here = here.current()
        self.hub = self.here.hub
        self.connection = Connection(
            self.base_send,
            name=self.scope["connection_id"],
            direct=self.scope.get("extensions", {}).get("gapless.direct"),
            window=self.hub.window,
            queue_bytes=limits.queue_bytes,
            slow_seconds=limits.slow_reader_seconds,
        )
        self.hub.connections.add(self.connection)
        self.subscriber = Subscriber(self.hub, self.connection)
        self.life = Lifetime(self.close, self._write)
        self.begun = Begun(self.connection, self._answer)
        self.conduct = Conduct(limits, self.loop.time())
        await self.base_send({"type": "websocket.accept", "subprotocol": self.scope["subprotocol"]})
        try:
            await self._begin()
        except Exception as error:  # noqa: BLE001  a browser would see no more than 1006
            self._fail(error)

    async def _begin(self) -> None:
        if self.hub.draining:
            self.close(close_codes.DRAINING)
        elif "refused" in self.scope:
            self.close(self.scope["refused"])
        elif self.scope["identity"] is not None:
            await self._open(self.scope["identity"], None)
        else:
            self.life.await_token()

    async def websocket_receive(self, message: dict[str, Any]) -> None:
        """Carry out one command; a bad one gets an ``error`` frame."""
        if self.connection.full:
            await self.connection.drained()
        if self.connection.ending():
            return
        text = message.get("text")
        if text is not None and self._too_big(text):
            self.close(close_codes.MESSAGE_TOO_BIG)
            return
        with tracing.named():
            await self._obey(text)

    async def _obey(self, text: str | None) -> None:
        try:
            if text is None:
                raise BadFrame(InvalidRequest("Frames are text."))
            command = protocol.parse_command(text)
        except BadFrame as bad:
            self._bad(bad.error, bad.id)
            return
        await self._carry_out(command)

    async def websocket_disconnect(self, message: dict[str, Any]) -> None:
        """The socket is gone."""
        self.connection.gone(message.get("code"))
        raise StopConsumer

    def close(self, close: Close) -> None:
        """Say why, and close, once what has been begun has been answered."""
        self.connection.leave(close)
        self.hub.forget(self.connection)
        self.life.stop()

    def _fail(self, error: Exception) -> None:
        failure = translated(error)
        self.close(close_codes.for_error(failure.code, failure.retry_after))

    def _gone(self) -> None:
        if hasattr(self, "connection"):
            self.connection.lost()
            self.here.ended(self.connection)
            self.subscriber.stop()
            self.life.stop()

    # --- commands -----------------------------------------------------------------------

    async def _carry_out(self, command: Command) -> None:
        if command.type in COUNTED and not self._within_rate(command):
            return
        try:
            fields = self._checked(command)
        except InvalidRequest as error:
            self._bad(error, command.id)
            return
        except ChatError as error:
            self._refuse(error, command.id)
            return
        try:
            await self._perform(command, fields)
        except Exception as error:  # noqa: BLE001  whatever went wrong is this command's, not the socket's
            self._refuse(error, command.id)

    def _checked(self, command: Command) -> Any:
        """Return the fields in the form that the command takes."""
        own = protocol.OWN_COMMANDS.get(command.type)
        if self.life.identity is None and command.type != "auth":
            raise NotAuthenticated
        shape = own or commands.shape_of(command.type)
        room_id = self.scope["url_route"]["kwargs"].get("room_id")
        if room_id is not None and "room_id" in shape.__struct_fields__:
            command.fields.setdefault("room_id", str(room_id))
        return shaped(command.fields, shape)

    async def _perform(self, command: Command, fields: Any) -> None:
        match fields:
            case protocol.Ping():
                self._write(protocol.Pong(id=protocol.echoed(command.id)))
            case protocol.Auth():
                await self._auth(fields.token, command.id)
            case protocol.Subscribe():
                await self.subscriber.subscribe(fields, command.id)
            case protocol.Unsubscribe():
                self.subscriber.unsubscribe(map(str, fields.streams))
                self.connection.write(protocol.ok(command.id, protocol.Nothing()))
            case SayTyping():
                await self.here.typing.command(self.connection, fields)
            case SayActive(active=active):
                self.here.presence.in_front(self.connection, active=active)
            case _:
                await self._record(command, fields)

    async def _record(self, command: Command, fields: Any) -> None:
        """Do to the record what is asked, after what this socket asked before."""
        user = self.scope["user"]
        await self.begun.room()
        if self.connection.ending():
            return
        begun = commands.begin(command.type, fields, user)
        if begun is not None:
            self.begun.add(begun, command.id)
            return
        await self.begun.settled()
        if self.connection.ending():
            return
        result = await pool.run(commands.perform, command.type, fields, user, settings.LIMITS)
        self.connection.write(protocol.ok(command.id, result))

    async def _auth(self, token: str, command_id: CommandId) -> None:
        if self.life.identity is not None:
            await self._renew(token, command_id)
            return
        try:
            identity = await identify(token, address_of(self.scope), opens=True)
            await self._open(identity, command_id)
        except Exception as error:  # noqa: BLE001  a socket is open, or it ends: never half
            self._fail(error)

    async def _renew(self, token: str, command_id: CommandId) -> None:
        renewed = await identify(token, address_of(self.scope), opens=False)
        if renewed.session.id != self.scope["session"].id:
            raise Conflict("The token is of another session.")
        self.life.renew(renewed)
        self.connection.kid = renewed.kid
        seconds = int(seconds_until(renewed.expires_at))
        self.connection.write(protocol.ok(command_id, protocol.Renewed(expires_in=seconds)))

    # --- the life of the socket ---------------------------------------------------------

    async def _open(self, identity: Identity, command_id: CommandId) -> None:
        greeting = await hello(identity, self.connection.id, command_id)
        self.scope["user"], self.scope["session"] = identity.user, identity.session
        self.life.begin(identity)
        self.connection.kid = identity.kid
        self.connection.user_id = sys.intern(str(identity.user.id))  # all that names them is one
        self.connection.session_id = str(identity.session.id)
        self._write(greeting)
        self.here.opened(self.connection)
        self.subscriber.open(identity.inbox_head)
        room_id = self.scope["url_route"]["kwargs"].get("room_id")
        if room_id is not None:
            await self._open_room(room_id)

    async def _open_room(self, room_id: uuid.UUID) -> None:
        try:
            refused = await self.subscriber.subscribe_at_once(room_id, self.scope)
        except Exception as error:  # noqa: BLE001  its room is all that this socket is for
            failure = translated(error)  # once: it is logged
            self._refuse(failure, None)
            self._fail(failure)
            return
        if refused not in (None, "conflict"):  # who knows more than there is reads anew
            self.close(close_codes.for_error(refused))

    # --- answers ------------------------------------------------------------------------

    def _answer(self, done: Future[Any], command_id: CommandId) -> None:
        try:
            self.connection.write(protocol.ok(command_id, done.result()))
        except Exception as error:  # noqa: BLE001  whatever went wrong is this command's
            self._refuse(error, command_id)

    def _write(self, frame: Payload) -> None:
        self.connection.write(protocol.wire(frame))

    def _refuse(self, error: Exception, command_id: CommandId) -> None:
        """Answer whatever went wrong; what is logged of it has the id that the client is told."""
        metrics.commands_refused.inc()
        name = tracing.request_id.get() or ""
        self.connection.write(protocol.error(translated(error), command_id, name))

    def _bad(self, error: ChatError, command_id: CommandId) -> None:
        self._refuse(error, command_id)
        if self.conduct.bad_frame(self.loop.time()):
            self.close(close_codes.BAD_REQUESTS)

    def _within_rate(self, command: Command) -> bool:
        wait = self.conduct.wait(self.loop.time())
        if wait == 0.0:
            return True
        self._refuse(RateLimited(retry_after=max(round(wait), 1)), command.id)
        if self.conduct.turned_away(self.loop.time()):
            self.close(close_codes.RATE_LIMITED)
        return False

    def _too_big(self, text: str) -> bool:
        limit = settings.LIMITS.frame_bytes
        return limit is not None and len(text) > limit // 4 and len(text.encode()) > limit
