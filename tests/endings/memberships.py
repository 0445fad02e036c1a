"""Somebody ceases to be a member."""

import asyncio
import time
from contextlib import AsyncExitStack

from typing_extensions import override

from tests.clients import FRAME_SECONDS, Socket
from tests.endings.ending import Ending

SECRETS = 20  # things said right after somebody is out
PAST = 120  # and before: enough for two batches of a replay


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
        """Say what is not for him, also in the place of what was."""
        for message_id in (self.said, self.last):
            body = {"text": "not for bob"}
            self.alice.expect(200, "PATCH", f"/messages/{message_id}", json=body)
        for _ in range(SECRETS):
            self.alice.send(self.room, "not for bob")

    @override
    def end(self) -> None:
        self.last = self.alice.send(self.room, "the last word")["id"]
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


class MemberBanned(MembershipEnds):
    reason, event = "banned", "member.banned"

    @override
    def go(self) -> None:
        self.alice.expect(201, "PUT", f"/rooms/{self.room}/bans/{self.bob.id}")


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
