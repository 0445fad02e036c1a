"""System checks: old libraries and a missing layer are said before the service starts."""

import os
import secrets
from pathlib import Path

import pytest
from django.core.checks import run_checks

from config import checks
from tests.backends import free_port
from tests.servers import World, environment, manage


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


def test_production_as_it_should_be_is_warned_of_nothing(tmp_path: Path) -> None:
    done = manage(
        {
            "DATA_DIR": str(tmp_path),
            "ENVIRONMENT": "production",
            "SECRET_KEY": secrets.token_hex(32),
            "JWT_SIGNING_KEY": secrets.token_hex(32),
            "ALLOWED_HOSTS": "chat.example.org",
            "DATABASE_URL": "postgresql://gapless@localhost/gapless",
            "REDIS_URL": "redis://localhost",
            "TRUSTED_PROXY_COUNT": "1",
        },
        *("check", "--deploy", "--fail-level", "WARNING"),
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == "System check identified no issues (5 silenced).\n"


def test_production_is_warned_when_everybody_would_have_the_address_of_the_proxy(
    tmp_path: Path,
) -> None:
    production = {
        "DATA_DIR": str(tmp_path),
        "ENVIRONMENT": "production",
        "SECRET_KEY": secrets.token_hex(32),
        "JWT_SIGNING_KEY": secrets.token_hex(32),
        "ALLOWED_HOSTS": "chat.example.org",
        "DATABASE_URL": "postgresql://gapless@localhost/gapless",
        "REDIS_URL": "redis://localhost",
    }
    done = manage(production, *("check", "--deploy", "--fail-level", "WARNING"))
    assert done.returncode == 1
    assert "(gapless.W002) TRUSTED_PROXY_COUNT is 0" in done.stderr
    assert "gapless.W" not in manage(production, "check").stderr


@pytest.mark.parametrize("command", ["serve", "runserver"])
def test_a_server_does_not_start_on_a_library_with_a_known_hole(
    tmp_path: Path, command: str
) -> None:
    """The naive form checks when somebody thinks of ``manage.py check``."""
    old = tmp_path / "lib" / "PyJWT-1.7.1.dist-info"
    old.mkdir(parents=True)
    (old / "METADATA").write_text("Metadata-Version: 2.1\nName: PyJWT\nVersion: 1.7.1\n")
    path = f"{old.parent}{os.pathsep}{os.environ.get('PYTHONPATH', '')}"
    options = ["--port", str(free_port())] if command == "serve" else ["--noreload"]
    refused = manage(environment(DATA_DIR=str(tmp_path), PYTHONPATH=path), command, *options)
    assert refused.returncode != 0
    assert "(gapless.E001) PyJWT 1.7.1 is too old." in refused.stderr


def test_several_processes_without_redis_are_warned_of(embedded: World, clustered: World) -> None:
    assert "gapless.W001" in embedded.manage("check", "--deploy").stderr
    assert "gapless.W001" not in clustered.manage("check", "--deploy").stderr
    assert "gapless.W001" not in embedded.manage("check").stderr
