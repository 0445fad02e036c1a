"""A session ends, or the token of a socket."""

import asyncio
import time
import uuid
from contextlib import AsyncExitStack

from typing_extensions import override

from tests.clients import PASSWORD, Person
from tests.endings.ending import Ending, closing
from tests.minting import resigned
from tests.record import change, in_seconds

TOKEN_SECONDS = 6  # of the token that expires


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
        done = self.world.manage("disable_user", self.bob.name)
        assert done.returncode == 0, done.stderr

    @override
    async def check_at_once(self) -> None:
        def refused() -> None:
            for person in (self.lost, self.bob):
                for server in (self.here, self.there):
                    person.at(server.url).refused(401, "session_revoked", "GET", "/me")
            body = {"username": self.bob.name, "password": PASSWORD}
            self.bob.refused(401, "invalid_credentials", "POST", "/auth/login", json=body)

        await asyncio.to_thread(refused)


class UserErased(UserDisabled):
    @override
    def end(self) -> None:
        self.bob.at(self.here.url).expect(204, "POST", "/me/delete", json={"password": PASSWORD})


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
