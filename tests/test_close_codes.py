"""The table of close codes: what contract §3.6 says, range by range."""

import pytest

from realtime import close_codes
from realtime.close_codes import ALL, Close

CONTRACT = {
    4000: "bad_requests",
    4003: "forbidden",
    4004: "no_such_room",
    4005: "protocol_not_supported",
    4009: "session_revoked",
    4010: "too_many_connections",
    4100: "internal",
    4101: "overloaded",
    4102: "not_authenticated_in_time",
    4108: "rate_limited",
    4110: "too_slow",
    4112: "no_pong",
    4200: "draining",
    4201: "socket_age",
    4300: "token_expired",
    4301: "invalid_token",
    1009: "message_too_big",
}
RANGES = {10: "backoff", 40: "no", 41: "backoff", 42: "now", 43: "reauthenticate"}


def test_the_codes_are_those_of_the_contract() -> None:
    assert {close.code: close.reason for close in ALL} == CONTRACT
    assert len(ALL) == len(CONTRACT)


@pytest.mark.parametrize("close", ALL, ids=lambda close: close.reason)
def test_the_range_of_a_code_says_what_the_client_does(close: Close) -> None:
    assert close.reconnect == RANGES[close.code // 100]


@pytest.mark.parametrize("close", ALL, ids=lambda close: close.reason)
def test_a_reason_fits_into_a_close_frame(close: Close) -> None:
    assert len(close.reason.encode()) <= 123  # RFC 6455, section 5.5


@pytest.mark.parametrize(
    ("error", "code"),
    [
        ("session_revoked", 4009),
        ("token_expired", 4300),
        ("invalid_token", 4301),
        ("not_found", 4004),
        ("permission_denied", 4003),
        ("invalid_request", 4000),
        ("internal", 4100),
        ("unavailable", 4100),
        ("a_code_of_tomorrow", 4100),
    ],
)
def test_a_connection_that_is_refused_ends_with_the_code_of_its_error(
    error: str, code: int
) -> None:
    assert close_codes.for_error(error).code == code
