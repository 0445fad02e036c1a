"""What is no command, or a bad one: an ``error`` frame, and no close before the tenth."""

import pytest

from tests.clients import Person
from tests.servers import World, on_both_servers

pytestmark = on_both_servers

NOWHERE = "01890000-0000-7000-8000-000000000000"
DEEP = "[" * 40 + "]" * 40
MALFORMED, INVALID = "malformed_json", "invalid_request"


@pytest.mark.parametrize(
    ("frame", "number", "code"),
    [
        (b"\x00\x01", None, INVALID),
        (b'{"type":"ping","id":"x"}', None, INVALID),
        ("{", None, MALFORMED),
        ("ping", None, MALFORMED),
        ('{"type":"ping","id":"x","n":NaN}', "x", INVALID),
        ("[]", None, INVALID),
        ('[{"type":"ping"}]', None, INVALID),
        ("null", None, INVALID),
        ('"ping"', None, INVALID),
        ("[" * 100_000, None, INVALID),
        ('{"id":"x"}', "x", INVALID),
        ('{"id":"x","type":null}', "x", INVALID),
        ('{"id":"x","type":["ping"]}', "x", INVALID),
        ('{"id":"x","type":"ping","type":"ping"}', "x", INVALID),
        ('{"id":"x","type":"ping","more":1}', "x", INVALID),
        ('{"id":7,"type":"subscribe"}', 7, INVALID),
        ('{"id":7,"type":"subscribe","streams":[]}', 7, INVALID),
        ('{"id":7,"type":"subscribe","streams":{"lobby":"0"}}', 7, INVALID),
        ('{"id":7,"type":"subscribe","streams":{"' + NOWHERE + '":-1}}', 7, INVALID),
        ('{"id":7,"type":"subscribe","streams":{"' + NOWHERE + '":0},"limit":1001}', 7, INVALID),
        ('{"id":7,"type":"auth","token":""}', 7, INVALID),
        ('{"id":7,"type":"message.send","text":"no room"}', 7, INVALID),
        ('{"id":7,"type":"read","room_id":"' + NOWHERE + '","seq":"1"}', 7, INVALID),
        ('{"id":"x","type":"message.send","text":"a\\u0000"}', "x", INVALID),
        ('{"id":"x","type":"message.send","text":"\\ud800"}', "x", INVALID),
        ('{"id":"x","type":"ping","n":' + DEEP + "}", "x", INVALID),
        ('{"id":"x","type":"ping","n":9007199254740993}', "x", INVALID),
        ('{"id":"x","type":"ping","n":1e999}', "x", INVALID),
        ('{"id":9007199254740993,"type":"ping"}', None, INVALID),
        ('{"id":true,"type":"ping"}', None, INVALID),
        ('{"id":1.5,"type":"ping"}', None, INVALID),
        ('{"id":["x"],"type":"ping"}', None, INVALID),
        ('{"id":"\\ud800","type":"ping"}', None, INVALID),
        ('{"id":"' + "x" * 65 + '","type":"ping"}', None, INVALID),
    ],
    ids=range(34),
)
async def test_a_bad_frame_gets_an_error_under_its_id_and_no_close(
    alice: Person, frame: str | bytes, number: str | int | None, code: str
) -> None:
    async with alice.socket() as socket:
        await socket.opened()
        await socket.connection.send(frame)
        error = await socket.receive()
        assert (error["type"], error["code"], error.get("id")) == ("error", code, number)
        assert error["retryable"] is False
        assert ("errors" in error) == (code == INVALID and isinstance(frame, str))
        assert (await socket.ask("ping"))["type"] == "pong"


async def test_ten_bad_frames_in_a_minute_are_too_many(alice: Person) -> None:
    async with alice.socket() as socket:
        await socket.opened()
        for _ in range(10):
            assert (await socket.ask("ping"))["type"] == "pong"
            await socket.connection.send("{")
            assert (await socket.receive())["code"] == "malformed_json"
        bye = {"type": "bye", "code": 4000, "reason": "bad_requests", "reconnect": "no"}
        assert await socket.closed() == (bye, 4000)


async def test_what_an_action_refuses_is_no_bad_frame(alice: Person) -> None:
    room = alice.create_room()["id"]
    async with alice.socket() as socket:
        await socket.opened()
        for _ in range(12):
            error = await socket.ask("message.send", room_id=room, text=" ")
            assert (error["type"], error["code"]) == ("error", INVALID)
        assert (await socket.ask("ping"))["type"] == "pong"


async def test_an_unknown_command_takes_nobodys_place(world: World) -> None:
    with world.beside({"commands_per_second": 0.001, "commands_burst": 1}) as server:
        alice = Person.register(server.url, "alice")
        async with alice.socket() as socket:
            await socket.opened()
            codes = [(await socket.ask("dance")).get("code") for _ in range(70)]
            assert codes == ["not_supported"] * 70
            assert (await socket.subscribe())["type"] == "subscribed"


async def test_an_unknown_command_is_not_supported_and_counts_for_nothing(alice: Person) -> None:
    async with alice.socket() as socket:
        await socket.opened()
        for number in range(15):
            await socket.command("dance", id=number, with_whom="bob")
            error = await socket.receive()
            assert error == {
                "type": "error",
                "id": number,
                "code": "not_supported",
                "detail": "There is no command 'dance'.",
                "retryable": False,
                "request_id": error["request_id"],
            }
        assert (await socket.ask("ping"))["type"] == "pong"
