"""Ways in which access ends, each played by people of its own on open sockets."""

import asyncio
import time
import uuid
from contextlib import AsyncExitStack
from typing_extensions import override

from tests.clients import FRAME_SECONDS, PASSWORD, Person, Socket
from tests.minting import resigned
from tests.record import change, in_seconds
from tests.servers import Server, World

SECRETS = 20  # things said right after somebody is out
PAST = 120  # and before: enough for two batches of a replay
TOKEN_SECONDS = 3  # of the token that expires


class Ending:
    """One way. Who acts is at ``here``, who loses their access has sockets at ``there``."""

    def __init__(self, world: World, here: Server, there: Server) -> None:
        self.world, self.here, self.there = world, here, there
        self.alice = Person.register(here.url, "alice")
        self.bob = Person.register(there.url, "bob")
        self.room: str = self.alice.create_room(self.bob)["id"]
        self.ended_at = 0.0  # on the clock of ``time.monotonic``
        self.watches: list[asyncio.Task[float]] = []

    async def open(self, stack: AsyncExitStack) -> None:
        """Open the sockets, and begin to read those that will be told."""
        raise NotImplementedError

    def end(self) -> None:
        """End the access."""
        raise NotImplementedError

    async def check_at_once(self) -> None:
        """See that every door is shut, before any socket has been told."""
        raise NotImplementedError

    async def check_after(self) -> None:
        """See what the sockets were told, now that it is over."""

    async def begin(self) -> None:
        """Begin what goes on while the access ends."""

    async def play(self) -> float:
        """End it and look; return after how many seconds the last socket knew."""
        await self.begin()
        await asyncio.to_thread(self.end)
        self.ended_at = self.ended_at or time.monotonic()
        await self.check_at_once()
        over = await asyncio.gather(*self.watches)
        await self.check_after()
        return max(over) - self.ended_at

    async def opened(self, stack: AsyncExitStack, person: Person, *subscribed: str) -> Socket:
        """Return an open socket at ``there``, with these streams."""
        socket = await stack.enter_async_context(person.at(self.there.url).socket())
        await socket.opened()
        if subscribed:
            await socket.subscribe(*subscribed)
        return socket

    async def in_room(self, stack: AsyncExitStack, person: Person) -> Socket:
        """Return an open socket of the room at ``there``."""
        path = f"/ws/rooms/{self.room}/"
        socket = await stack.enter_async_context(person.at(self.there.url).socket(path))
        await socket.opened()
        await socket.until("subscribed")
        return socket


async def closing(socket: Socket, code: int) -> float:
    """Return when a socket was closed, with this code."""
    bye, closed = await socket.closed(2 * FRAME_SECONDS)
    assert (bye.get("code"), closed) == (code, code)
    return time.monotonic()


class SessionEnds(Ending):
    """A session of bob ends; its sockets close, and nothing of his later news was on them."""

    others_stay = True

    @override
    async def open(self, stack: AsyncExitStack) -> None:
        self.lost = await asyncio.to_thread(self.bob.login, "lost")
        self.sockets = [
            await self.opened(stack, self.lost, self.room),
            await self.in_room(stack, self.lost),
        ]
        self.kept = await self.opened(stack, self.bob, self.room)
        if not self.others_stay:
            self.sockets.append(self.kept)
        await asyncio.to_thread(self.before)
        self.watches = [asyncio.create_task(closing(socket, 4009)) for socket in self.sockets]

    def before(self) -> None:
        """Do what has to be done first."""

    @override
    async def check_at_once(self) -> None:
        def refused() -> None:
            for server in (self.here, self.there):
                self.lost.at(server.url).refused(401, "session_revoked", "GET", "/me")
            self.alice.create_room(self.bob)  # which bob is told, on what is left to him

        await asyncio.to_thread(refused)
        async with self.lost.at(self.there.url).socket() as again:
            assert (await again.closed())[1] == 4009

    @override
    async def check_after(self) -> None:
        lost = self.lost.tokens["session"]["id"]
        for socket in self.sockets:
            last = socket.of(self.bob.id)[-1]
            assert last["type"] == "session.revoked", last
            assert lost in last["data"]["session_ids"]
        if self.others_stay:
            await self.kept.until("room.added")
            assert (await self.kept.ask("ping"))["type"] == "pong"


class Logout(SessionEnds):
    @override
    def end(self) -> None:
        self.lost.at(self.here.url).expect(204, "POST", "/auth/logout")


class LogoutEverywhere(SessionEnds):
    others_stay = False

    @override
    def end(self) -> None:
        self.bob.at(self.here.url).expect(204, "POST", "/auth/logout-all")


class SessionDeleted(SessionEnds):
    @override
    def end(self) -> None:
        path = f"/auth/sessions/{self.lost.tokens['session']['id']}"
        self.bob.at(self.here.url).expect(204, "DELETE", path)


class PasswordChanged(SessionEnds):
    @override
    def end(self) -> None:
        body = {"current_password": PASSWORD, "new_password": "another " + PASSWORD}
        self.bob.at(self.here.url).expect(204, "POST", "/auth/password", json=body)


class RefreshReused(SessionEnds):
    @override
    def before(self) -> None:
        body = {"refresh": self.lost.tokens["refresh"]}
        answer = self.lost.expect(200, "POST", "/auth/refresh", json=body)
        Person(self.here.url, answer).get("/me")
        change(
            self.world,
            "UPDATE accounts_refreshtoken SET replaced_at = %s"
            " WHERE session_id = %s AND replaced_at IS NOT NULL",
            in_seconds(-60),
            uuid.UUID(self.lost.tokens["session"]["id"]),
        )

    @override
    def end(self) -> None:
        body = {"refresh": self.lost.tokens["refresh"]}
        thief = Person(self.here.url, {})
        thief.refused(401, "refresh_reused", "POST", "/auth/refresh", json=body)


class UserDisabled(SessionEnds):
    others_stay = False

    @override
    def end(self) -> None:
        assert self.world.scenario("user_disabled", self.bob.id) == 2

    @override
    async def check_at_once(self) -> None:
        def refused() -> None:
            for person in (self.lost, self.bob):
                for server in (self.here, self.there):
                    person.at(server.url).refused(401, "session_revoked", "GET", "/me")
            body = {"username": self.bob.name, "password": PASSWORD}
            self.bob.refused(401, "invalid_credentials", "POST", "/auth/login", json=body)

        await asyncio.to_thread(refused)


class TokenExpires(Ending):
    """Nobody does anything: the token of the socket runs out."""

    @override
    async def open(self, stack: AsyncExitStack) -> None:
        exp = int(time.time()) + TOKEN_SECONDS
        self.ended_at = time.monotonic() + exp - time.time()
        access = self.bob.tokens["access"]
        self.short = Person(
            self.there.url, self.bob.tokens | {"access": resigned(self.world, access, exp=exp)}
        )
        socket = await self.opened(stack, self.short, self.room)
        self.watches = [asyncio.create_task(closing(socket, 4300))]

    @override
    def end(self) -> None:
        time.sleep(max(0.0, self.ended_at - time.monotonic()))

    @override
    async def check_at_once(self) -> None:
        for server in (self.here, self.there):
            person = self.short.at(server.url)
            await asyncio.to_thread(person.refused, 401, "token_expired", "GET", "/me")


class MembershipEnds(Ending):
    """Bob is out of the room, whose next messages are not for him."""

    reason = ""
    event = ""

    @override
    async def open(self, stack: AsyncExitStack) -> None:
        await self.alice.talk(self.room, PAST)
        self.said = (await asyncio.to_thread(self.alice.send, self.room))["id"]
        self.told = [
            await self.opened(stack, self.bob, self.room),
            await self.in_room(stack, self.bob),
        ]
        self.asking = await self.opened(stack, self.bob)
        self.replaying = await self.opened(stack, self.bob)
        self.replaying_has_begun = asyncio.Event()
        self.watches = [asyncio.create_task(self._put_out(socket)) for socket in self.told]

    @override
    async def begin(self) -> None:
        self.watches.append(asyncio.create_task(self._replayed(self.replaying)))
        await self.replaying_has_begun.wait()

    async def _put_out(self, socket: Socket) -> float:
        gone = await socket.until("unsubscribed", 2 * FRAME_SECONDS)
        assert gone == {"type": "unsubscribed", "stream": self.room, "reason": self.reason}
        return time.monotonic()

    async def _replayed(self, socket: Socket) -> float:
        """Ask for everything again and again, until it is refused or ended in the middle."""
        while True:
            granted = await socket.subscribe(self.room, since=0)
            if granted["refused"]:
                assert granted["refused"] == {self.room: "not_found"}
                return time.monotonic()
            self.replaying_has_begun.set()

    def go(self) -> None:
        """Put bob out."""
        raise NotImplementedError

    def say(self) -> None:
        """Say what is not for him."""
        for _ in range(SECRETS):
            self.alice.send(self.room, "not for bob")

    @override
    def end(self) -> None:
        self.go()
        self.ended_at = time.monotonic()
        self.say()

    @override
    async def check_at_once(self) -> None:
        await asyncio.to_thread(self._check_rest)
        for position in ({}, {"around": PAST}, {"after": PAST}, {"before": PAST}):
            reply = await self.asking.ask("history", room_id=self.room, **position)
            assert reply["code"] == "not_found", reply
        granted = await self.asking.subscribe(self.room, since=0)
        assert granted["refused"] == {self.room: "not_found"}
        path = f"/ws/rooms/{self.room}/"
        async with self.bob.socket(path, query="?since=0") as again:
            assert (await again.closed())[1] == 4004

    def _check_rest(self) -> None:
        room = f"/rooms/{self.room}"
        pages = ("messages", "messages?around=9", f"messages?ids={self.said}", "events?after=9")
        paths = [room, f"/messages/{self.said}", *(f"{room}/{page}" for page in pages)]
        for server in (self.there, self.here):
            for path in paths:
                self.bob.at(server.url).refused(404, "not_found", "GET", path)

    @override
    async def check_after(self) -> None:
        inbox = await asyncio.to_thread(self.bob.events, self.bob.id)
        (told,) = [event for event in inbox if event["type"] == "room.removed"]
        assert told["data"]["reason"] == self.reason
        for socket in (*self.told, self.asking, self.replaying):
            assert (await socket.ask("ping"))["type"] == "pong"
            assert "not for bob" not in str(socket.events)
            assert all(event["seq"] <= told["data"]["seq"] for event in socket.of(self.room))
        for socket in self.told:
            last = socket.of(self.room)[-1]
            assert (last["type"], last["seq"]) == (self.event, told["data"]["seq"])


class MemberRemoved(MembershipEnds):
    reason, event = "removed", "member.removed"

    @override
    def go(self) -> None:
        self.alice.expect(204, "DELETE", f"/rooms/{self.room}/members/{self.bob.id}")


class MemberLeaves(MembershipEnds):
    reason, event = "left", "member.left"

    @override
    def go(self) -> None:
        self.bob.at(self.here.url).expect(204, "POST", f"/rooms/{self.room}/leave")


class RoomDeleted(MembershipEnds):
    reason, event = "deleted", "room.deleted"

    @override
    def go(self) -> None:
        self.alice.expect(204, "DELETE", f"/rooms/{self.room}")

    @override
    def say(self) -> None:
        """Nobody says anything any more."""
        body = {"text": "not for bob"}
        path = f"/rooms/{self.room}/messages"
        self.alice.refused(404, "not_found", "POST", path, json=body)


ENDINGS: dict[str, type[Ending]] = {
    "logout": Logout,
    "logout everywhere": LogoutEverywhere,
    "session deleted": SessionDeleted,
    "password changed": PasswordChanged,
    "refresh token reused": RefreshReused,
    "user disabled": UserDisabled,
    "member removed": MemberRemoved,
    "member leaves": MemberLeaves,
    "room deleted": RoomDeleted,
    "token expires": TokenExpires,  # the last to be opened: its time runs
}
