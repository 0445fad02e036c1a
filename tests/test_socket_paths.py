"""Where a socket leads: paths, rooms in the path, and what is refused there."""

import pytest

from tests.clients import Person, Socket
from tests.servers import on_both_servers

pytestmark = on_both_servers

BYE_FORBIDDEN = ("forbidden", 4003, "no")
BYE_NO_ROOM = ("no_such_room", 4004, "no")
BYE_BAD = ("bad_requests", 4000, "no")


async def check_ends(socket: Socket, expected: tuple[str, int, str]) -> None:
    """Expect the end, told by ``bye``."""
    reason, number, reconnect = expected
    bye, code = await socket.closed()
    assert bye == {"type": "bye", "code": number, "reason": reason, "reconnect": reconnect}
    assert code == number


@pytest.mark.parametrize("path", ["/ws", "/ws/", "/ws/rooms/{room}", "/ws/rooms/{room}/"])
async def test_paths_lead_there_with_and_without_the_last_slash(alice: Person, path: str) -> None:
    room = alice.create_room()["id"]
    async with alice.socket(path.format(room=room)) as socket:
        await socket.opened()
        if "rooms" in path:
            subscribed = await socket.until("subscribed")
            assert subscribed == {
                "type": "subscribed",
                "streams": {
                    room: {
                        "head": 1,
                        "read_seq": 1,
                        "unread_count": 0,
                        "mention_count": 0,
                        "my_role": "owner",
                    }
                },
                "refused": {},
            }


@pytest.mark.parametrize("path", ["/", "/healthz", "/ws/more", "/api/v1", "/ws/rooms/"])
async def test_a_path_that_leads_nowhere_is_told(alice: Person, path: str) -> None:
    async with alice.socket(path) as socket:
        await check_ends(socket, BYE_FORBIDDEN)


@pytest.mark.parametrize("room", ["01890000-0000-7000-8000-000000000000", "lobby", "A" * 36])
async def test_a_room_that_is_not_there_is_told(alice: Person, room: str) -> None:
    async with alice.socket(f"/ws/rooms/{room}/") as socket:
        await check_ends(socket, BYE_NO_ROOM)


@pytest.mark.parametrize(
    ("kind", "query", "code", "bye"),
    [
        ("private", "", "not_found", BYE_NO_ROOM),
        ("public", "", "permission_denied", BYE_FORBIDDEN),
        ("private", "?since=0", "not_found", BYE_NO_ROOM),
    ],
)
async def test_a_room_of_others_is_refused_as_rest_would(
    alice: Person, carol: Person, kind: str, query: str, code: str, bye: tuple[str, int, str]
) -> None:
    room = alice.create_room(kind=kind)["id"]
    async with carol.socket(f"/ws/rooms/{room}/", query=query) as socket:
        await socket.opened()
        subscribed = await socket.receive()
        assert subscribed == {"type": "subscribed", "streams": {}, "refused": {room: code}}
        await check_ends(socket, bye)


@pytest.mark.parametrize("since", ["-1", "abc", "", "9" * 40])
async def test_a_since_that_cannot_be_is_told(alice: Person, since: str) -> None:
    room = alice.create_room()["id"]
    async with alice.socket(f"/ws/rooms/{room}/", query=f"?since={since}") as socket:
        await socket.opened()
        error = await socket.receive()
        assert (error["type"], error["code"]) == ("error", "invalid_request")
        assert error["detail"] == "since is no number."
        await check_ends(socket, BYE_BAD)


async def test_who_knows_more_than_there_is_is_told_and_reads_anew(alice: Person) -> None:
    """After a restored backup: a socket that ends for good leaves nobody to read anew."""
    room = alice.create_room()["id"]
    async with alice.socket(f"/ws/rooms/{room}/", query="?since=2") as socket:
        await socket.opened()
        subscribed = await socket.receive()
        assert subscribed == {"type": "subscribed", "streams": {}, "refused": {room: "conflict"}}
        said = alice.send(room)["seq"]
        await socket.subscribe(room, since=0)
        await socket.reach(room, said)


async def test_since_in_the_path_replays_what_was_missed(alice: Person) -> None:
    room = alice.create_room()["id"]
    said = alice.send(room, "said before")
    async with alice.socket(f"/ws/rooms/{room}/", query="?since=1") as socket:
        await socket.opened()
        await socket.reach(room, said["seq"])
        assert [event["data"]["text"] for event in socket.of(room)] == ["said before"]
