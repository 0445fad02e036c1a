"""The frames of the socket: commands taken apart, answers put together."""

import json
import uuid
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api import errors
from realtime import close_codes, protocol
from realtime.protocol import BadFrame, Command, parse_command
from tests.contract import check_frame

STREAM = str(uuid.uuid4())
ids = st.none() | st.integers(-(2**53) + 1, 2**53 - 1) | st.text(max_size=64)


def refusal(text: str) -> tuple[Any, str, str | None]:
    """Return the id, the code and the first pointer of what a bad frame is answered."""
    with pytest.raises(BadFrame) as caught:
        parse_command(text)
    bad = caught.value
    check_frame(json.loads(protocol.error(bad.error, bad.id, "request").text))
    faults = bad.error.errors
    return bad.id, bad.error.code, faults[0].pointer if faults else None


# --- commands -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "command"),
    [
        ('{"type": "ping"}', Command(None, "ping", {})),
        ('{"id": null, "type": "ping"}', Command(None, "ping", {})),
        ('{"type": "read", "seq": 7, "id": 1}', Command(1, "read", {"seq": 7})),
        ('{"id": "a", "type": "no.such"}', Command("a", "no.such", {})),
        ('{"id": "", "type": ""}', Command("", "", {})),
        (' {"type": "x", "y": {"id": 2}} ', Command(None, "x", {"y": {"id": 2}})),
    ],
)
def test_a_command_is_taken_apart_and_not_yet_checked(text: str, command: Command) -> None:
    assert parse_command(text) == command


@given(command_id=ids)
def test_every_reply_echoes_the_id_of_its_command(command_id: str | int | None) -> None:
    asked = json.dumps({"type": "ping", "id": command_id})
    try:
        read = parse_command(asked).id
    except BadFrame as bad:
        assert "\0" in str(command_id)
        read = bad.id
    assert read == command_id
    failure = errors.NotFound()
    for reply in (
        protocol.wire(protocol.Pong(id=protocol.echoed(read))),
        protocol.ok(read, protocol.Nothing()),
        protocol.error(failure, read, "request"),
    ):
        assert json.loads(reply.text).get("id") == command_id
        assert ("id" in json.loads(reply.text)) is (command_id is not None)


@pytest.mark.parametrize(
    "fields",
    [
        '"x": 1, "x": 2',
        '"x": {"y": 1, "y": 1}',
        r'"x": "\u0000"',
        r'"\u0000": 1',
        r'"x": ["\ud800"]',
        r'"\udfff": 1',
        '"x": 9007199254740992',
        '"x": -9007199254740992',
        '"x": ' + "9" * 5_000,
        '"x": 1e999',
        '"x": NaN',
        '"x": [Infinity]',
        '"x": -Infinity',
        '"x": ' + "[" * 32 + "]" * 32,
        '"x": ' + '{"y": ' * 200 + "1" + "}" * 200,
    ],
)
@pytest.mark.parametrize(
    "order", ['{{"id": 7, "type": "a", {0}}}', '{{{0}, "type": "a", "id": 7}}']
)
def test_what_is_refused_anywhere_in_a_frame_is_answered_under_its_id(
    fields: str, order: str
) -> None:
    assert refusal(order.format(fields)) == (7, "invalid_request", "")


@pytest.mark.parametrize("missing", ["", ', "type": null', ', "type": 1', ', "type": ["ping"]'])
def test_a_frame_without_a_type_is_answered_under_its_id(missing: str) -> None:
    assert refusal('{"id": "a"' + missing + "}") == ("a", "invalid_request", "/type")


@pytest.mark.parametrize(
    "bad_id",
    ["true", "1.5", "1.0", "[]", "{}", '"' + "a" * 65 + '"', r'"\ud83d"', "1e999"],
)
def test_an_id_of_another_kind_is_refused_and_not_echoed(bad_id: str) -> None:
    assert refusal(f'{{"id": {bad_id}, "type": "ping"}}') == (None, "invalid_request", "/id")


@pytest.mark.parametrize("bad_id", ["9007199254740992", "1" * 400, "NaN"])
def test_a_number_that_cannot_be_read_exactly_is_no_id(bad_id: str) -> None:
    assert refusal(f'{{"id": {bad_id}, "type": "ping"}}') == (None, "invalid_request", "")


@pytest.mark.parametrize("text", ["[]", "null", "1", '"ping"', '[{"type": "ping"}]', "NaN"])
def test_a_frame_is_an_object(text: str) -> None:
    assert refusal(text) == (None, "invalid_request", "")


@pytest.mark.parametrize(
    "text", ["", "ping", "{", '{"type": "ping",}', "{'type': 1}", '{"type": "ping"} x', "\ufeff{}"]
)
def test_what_is_no_json_has_no_id(text: str) -> None:
    assert refusal(text) == (None, "malformed_json", None)


@pytest.mark.parametrize("opening", ["[", '{"x":'])
def test_a_frame_deeper_than_a_parser_can_follow_is_refused(opening: str) -> None:
    deep = opening * 20_000
    assert refusal(f'{{"id": 1, "type": "a", "x": {deep}')[1] == "invalid_request"


@given(
    text=st.text()
    | st.recursive(
        st.none() | st.booleans() | st.floats() | st.integers() | st.text(),
        lambda inner: (
            st.lists(inner) | st.dictionaries(st.sampled_from(["id", "type", "x"]), inner)
        ),
    ).map(json.dumps)
)
def test_whatever_comes_is_a_command_or_a_bad_frame(text: str) -> None:
    try:
        parsed = parse_command(text)
    except BadFrame as bad:
        check_frame(json.loads(protocol.error(bad.error, bad.id, "request").text))
    else:
        assert isinstance(json.loads(text)["type"], str)
        assert json.loads(text).get("id") == parsed.id


# --- answers --------------------------------------------------------------------------------


def test_an_ok_has_its_results_beside_the_id() -> None:
    result = protocol.Renewed(expires_in=300)
    assert json.loads(protocol.ok("a", result).text) == {"type": "ok", "id": "a", "expires_in": 300}
    assert json.loads(protocol.ok(None, protocol.Nothing()).text) == {"type": "ok"}


@pytest.mark.parametrize(
    ("failure", "frame"),
    [
        (
            errors.NotFound(),
            {
                "code": "not_found",
                "detail": "There is no such thing, or it is not yours to see.",
                "retryable": False,
            },
        ),
        (
            errors.RateLimited(retry_after=3),
            {
                "code": "rate_limited",
                "detail": "Too much at once.",
                "retryable": True,
                "retry_after": 3,
            },
        ),
        (
            errors.InvalidRequest.at("/seq", "A number."),
            {
                "code": "invalid_request",
                "detail": "A number.",
                "retryable": False,
                "errors": [{"pointer": "/seq", "detail": "A number."}],
            },
        ),
    ],
)
def test_an_error_says_what_is_known_and_nothing_else(
    failure: errors.ChatError, frame: dict[str, Any]
) -> None:
    told = json.loads(protocol.error(failure, 9, "a-request").text)
    check_frame(told)
    assert told == {"type": "error", "id": 9, "request_id": "a-request"} | frame


def test_bye_says_the_close_and_when_to_come_back() -> None:
    told = {"type": "bye", "code": 4200, "reason": "draining", "reconnect": "now"}
    assert json.loads(protocol.bye(close_codes.DRAINING).text) == told
    later = protocol.bye(close_codes.DRAINING._replace(retry_after=2))
    assert json.loads(later.text) == told | {"retry_after": 2}
    check_frame(json.loads(later.text))


def test_a_gap_names_its_numbers_as_lists_do() -> None:
    gap = json.loads(protocol.wire(protocol.Gap(stream=STREAM, first=3, last=9)).text)
    check_frame(gap)
    assert gap == {"type": "gap", "stream": STREAM, "from": 3, "to": 9}


def test_the_size_of_a_frame_is_counted_in_bytes() -> None:
    gone = protocol.wire(protocol.Unsubscribed(stream=STREAM, reason="left"))
    assert gone.size == len(gone.text)
    named = protocol.ok("äöü", protocol.Nothing())
    assert named.size == len(named.text.encode()) == len(named.text) + 3
