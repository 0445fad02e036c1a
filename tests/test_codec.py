"""What is taken as JSON, where a fault is said to be, and how times are written."""

import json
import uuid
from datetime import UTC, datetime, timedelta, timezone
from typing import Annotated, Any, Literal

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from api import codec
from api.codec import DEPTH_MAX, INTEGER_MAX, Body
from api.errors import Fault, InvalidRequest, MalformedJson

Letters = Annotated[str, msgspec.Meta(max_length=3)]


class Inner(Body):
    count: int
    names: list[Letters] = []


class Outer(Body, rename={"first": "from"}):
    inner: Inner | None = None
    inners: list[Inner] = []
    first: int = 0
    kind: Literal["a", "b"] = "a"
    by_name: dict[str, int] = {}
    by_id: dict[uuid.UUID, Annotated[int, msgspec.Meta(ge=0)] | None] = {}
    anything: Any = None


def refused(raw: bytes | str) -> Fault:
    """Return the fault that a body is refused with."""
    with pytest.raises(InvalidRequest) as caught:
        codec.decode(raw, Outer)
    (fault,) = caught.value.errors
    assert caught.value.detail == fault.detail
    return fault


# --- what JSON parsers disagree about -------------------------------------------------------


@pytest.mark.parametrize(
    ("raw", "detail"),
    [
        ('{"from": 1, "from": 1}', "An object has a key twice."),
        ('{"anything": [{"a": {}, "a": 1}]}', "An object has a key twice."),
        (r'{"anything": {"a": 1, "\u0061": 2}}', "An object has a key twice."),
        (r'{"anything": "\u0000"}', "A string has a NUL character."),
        (r'{"anything": {"a\u0000": 1}}', "A string has a NUL character."),
        (r'{"anything": "\ud83d"}', "A string has half of a surrogate pair."),
        (r'{"anything": ["a", ["\ude00\ud83d"]]}', "A string has half of a surrogate pair."),
        (r'{"\udc00": 1}', "A string has half of a surrogate pair."),
        ('{"anything": 9007199254740992}', "An integer is outside ±(2^53 - 1)."),
        ('{"anything": [-9007199254740992]}', "An integer is outside ±(2^53 - 1)."),
        ('{"anything": ' + "1" * 5_000 + "}", "An integer is outside ±(2^53 - 1)."),
        ('{"anything": 1e309}', "A number is too large."),
        ('{"anything": -1.5E+999}', "A number is too large."),
        ('{"anything": NaN}', "NaN is no number of JSON."),
        ('{"anything": Infinity}', "Infinity is no number of JSON."),
        ('{"from": -Infinity}', "-Infinity is no number of JSON."),
    ],
)
def test_what_parsers_disagree_about_is_refused(raw: str, detail: str) -> None:
    assert refused(raw) == refused(raw.encode()) == Fault("", detail)


@pytest.mark.parametrize(("opening", "closing"), [("[", "]"), ('{"a": ', "}")])
@pytest.mark.parametrize("levels", [DEPTH_MAX, DEPTH_MAX + 1, 500, 30_000])
def test_nesting_is_refused_above_its_limit(opening: str, closing: str, levels: int) -> None:
    raw = '{"anything": ' + opening * levels + "1" + closing * levels + "}"
    assert refused(raw) == Fault("", "Nested deeper than 32.")


@pytest.mark.parametrize(("opening", "closing"), [("[", "]"), ('{"a": ', "}")])
def test_nesting_is_taken_up_to_its_limit(opening: str, closing: str) -> None:
    levels = DEPTH_MAX - 1  # the body itself is the first
    raw = '{"anything": ' + opening * levels + '"leaf"' + closing * levels + "}"
    assert codec.decode(raw, Outer) == Outer(anything=json.loads(raw)["anything"])


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b" ",
        b"{",
        b"{'from': 1}",
        b'{"from": 1,}',
        b'{"from": 01}',
        b'{"from": +1}',
        b'{"from": 1} {}',
        b'{"anything": "\n"}',
        b'{"anything": "\\x"}',
        b'{"anything": "\xff"}',
        b'{"anything": "\xed\xa0\x80"}',
        b'\xef\xbb\xbf{"from": 1}',
        '{"from": 1}'.encode("utf-16"),
        b"nan",
    ],
)
def test_what_is_no_json_is_malformed(raw: bytes) -> None:
    with pytest.raises(MalformedJson):
        codec.decode(raw, Outer)


@pytest.mark.parametrize(
    ("raw", "value"),
    [
        (r'"\ud83d\ude00"', "😀"),
        ('"\u2028 \u00e9 e\u0301"', "\u2028 é e\u0301"),
        ("9007199254740991", INTEGER_MAX),
        ("-9007199254740991", -INTEGER_MAX),
        ("-0", 0),
        ("1e308", 1e308),
        ("1e-999", 0.0),
        ('{"": [null, true, 1.5]}', {"": [None, True, 1.5]}),
    ],
)
def test_the_rest_of_json_is_taken_as_it_is(raw: str, value: Any) -> None:
    assert codec.decode(f'{{"anything": {raw}}}', Outer).anything == value


plain_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-INTEGER_MAX, INTEGER_MAX)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"])),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"])),
            inner,
            max_size=4,
        )
    ),
    max_leaves=20,
)


@given(value=plain_values)
def test_what_we_encode_we_decode_unchanged(value: Any) -> None:
    assert codec.parse(codec.encode(value)) == (value, None)


@given(raw=st.binary() | st.text().map(str.encode))
def test_whatever_bytes_come_are_a_value_or_a_refusal(raw: bytes) -> None:
    try:
        value = codec.decode(raw, Outer)
    except (InvalidRequest, MalformedJson):
        return
    assert isinstance(value, Outer)


# --- where the fault is: RFC 6901 -----------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "pointer", "detail"),
    [
        ([], "", "Expected 'object', got 'array'."),
        ({"from": "1"}, "/from", "Expected 'int', got 'str'."),
        ({"from": 1.5}, "/from", "Expected 'int', got 'float'."),
        ({"first": 1}, "/first", "Object contains unknown field 'first'."),
        ({"kind": "c"}, "/kind", "Invalid enum value 'c'."),
        ({"inner": {}}, "/inner/count", "Object missing required field 'count'."),
        ({"inner": {"count": None}}, "/inner/count", "Expected 'int', got 'null'."),
        (
            {"inner": {"count": 1, "names": ["abc", "abcd"]}},
            "/inner/names/1",
            "Expected 'str' of length <= 3.",
        ),
        ({"inners": [{"count": 1}, []]}, "/inners/1", "Expected 'object', got 'array'."),
        (
            {"inners": [{"count": 1}, {"count": 1, "names": [1]}]},
            "/inners/1/names/0",
            "Expected 'str', got 'int'.",
        ),
        (
            {"inners": [{"count": 1, "more": 1}]},
            "/inners/0/more",
            "Object contains unknown field 'more'.",
        ),
        ({"by_name": {"a/b": "c"}}, "/by_name", "Expected 'int', got 'str'."),
        ({"by_id": {"nobody": 1}}, "/by_id", "Invalid UUID."),
        ({"by_id": {str(uuid.uuid4()): -1}}, "/by_id", "Expected 'int' >= 0."),
        ({"": 1}, "/", "Object contains unknown field ''."),
        ({"a/b~c": 1}, "/a~1b~0c", "Object contains unknown field 'a/b~c'."),
        ({"~1": 1}, "/~01", "Object contains unknown field '~1'."),
        ({"a.b[0]": 1}, "/a.b[0]", "Object contains unknown field 'a.b[0]'."),
        ({"a`b": 1}, "/a`b", "Object contains unknown field 'a'b'."),
        ({"a\nb": 1}, "/a\nb", "Object contains unknown field 'a\nb'."),
        ({"kind": "c - at `$.from`"}, "/kind", "Invalid enum value 'c - at '$.from''."),
    ],
)
def test_a_fault_is_found_by_its_pointer(value: Any, pointer: str, detail: str) -> None:
    assert refused(json.dumps(value)) == Fault(pointer, detail)


@given(
    name=st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=100),
    place=st.integers(0, 3),
)
def test_every_unknown_field_is_named_by_a_pointer_that_leads_to_it(name: str, place: int) -> None:
    inners: list[dict[str, Any]] = [{"count": 1} for _ in range(place + 1)]
    inners[place] = {"count": 1} | ({} if name in ("count", "names") else {name: 1})
    value: Any = {"inners": inners}
    if name in ("count", "names"):
        assert len(codec.decode(json.dumps(value), Outer).inners) == place + 1
        return
    fault = refused(json.dumps(value))
    for step in fault.pointer.split("/")[1:]:
        key = step.replace("~1", "/").replace("~0", "~")
        value = value[int(key)] if isinstance(value, list) else value[key]
    assert value == 1


@pytest.mark.parametrize(
    ("value", "pointer"),
    [
        ({"inner": {"count": 1, "~" * 60_000: 1}}, "/inner"),
        ({"kind": "\x01" * 60_000}, "/kind"),
    ],
)
def test_an_error_does_not_say_again_what_was_too_long(value: Any, pointer: str) -> None:
    fault = refused(json.dumps(value))
    assert fault.pointer == pointer
    assert len(fault.detail) < 300


# --- what we write --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("moment", "text"),
    [
        (datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC), "2026-01-02T03:04:05.000Z"),
        (datetime(2026, 1, 2, 3, 4, 5, 999_999, tzinfo=UTC), "2026-01-02T03:04:05.999Z"),
        (datetime(2026, 1, 2, 3, 4, 5, 1_000, tzinfo=UTC), "2026-01-02T03:04:05.001Z"),
        (
            datetime(2026, 1, 1, 0, 30, tzinfo=timezone(timedelta(hours=2))),
            "2025-12-31T22:30:00.000Z",
        ),
    ],
)
def test_times_are_utc_in_milliseconds(moment: datetime, text: str) -> None:
    assert codec.instant(moment) == codec.instant_or_none(moment) == text
    assert codec.instant_or_none(None) is None


def test_a_payload_is_encoded_as_its_plain_values() -> None:
    class Sent(codec.Payload):
        id: uuid.UUID
        text: str

    sent = Sent(id=uuid.UUID(int=7), text="grüße 😀 </script>")
    plain = {"id": "00000000-0000-0000-0000-000000000007", "text": "grüße 😀 </script>"}
    assert codec.plain(sent) == json.loads(codec.encode(sent)) == plain
    assert "grüße 😀".encode() in codec.encode(sent)
