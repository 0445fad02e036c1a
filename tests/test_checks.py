"""System checks: old libraries and a missing layer are said before the service starts."""

import pytest
from django.core.checks import run_checks

from config import checks
from tests.servers import World


def test_libraries_with_known_holes_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    assert [message.id for message in run_checks(tags=["security"])] == []
    monkeypatch.setitem(checks.FLOORS, "Django", (99, 0))
    (error,) = run_checks(tags=["security"])
    assert error.id == "gapless.E001"
    assert "Django 5." in error.msg
    assert error.is_serious()


@pytest.mark.parametrize(
    ("one", "other"), [("5.2.9", "5.2.14"), ("5.2.14", "26.4"), ("5.2rc1", "5.2.1")]
)
def test_versions_are_compared_by_their_numbers(one: str, other: str) -> None:
    assert checks.numbers(one) < checks.numbers(other)


def test_several_processes_without_redis_are_warned_of(embedded: World, clustered: World) -> None:
    assert "gapless.W001" in embedded.manage("check", "--deploy").stderr
    assert "gapless.W001" not in clustered.manage("check", "--deploy").stderr
    assert "gapless.W001" not in embedded.manage("check").stderr
