"""What the operator's variables mean, and how nonsense in one of them is told."""

import os
import secrets
from pathlib import Path

import msgspec
import pytest

from api.limits import Limits
from config import env
from config.env import Environment, EnvironmentRefused
from tests.servers import manage

VARIABLES = [
    *("ENVIRONMENT", "PORT", "DATABASE_URL", "REDIS_URL", "REDIS_PREFIX", "DATA_DIR"),
    *("SECRET_KEY", "JWT_SIGNING_KEY", "ALLOWED_HOSTS", "ALLOWED_ORIGINS", "LIMITS"),
    *("TRUSTED_PROXY_COUNT", "REGISTRATION", "LOG_LEVEL", "DEBUG", "HTTP_HANDLER"),
    *("SENDS", "LOG_FORMAT", "METRICS_TOKEN"),
]
PRODUCTION = {
    "ENVIRONMENT": "production",
    "SECRET_KEY": secrets.token_hex(),
    "JWT_SIGNING_KEY": secrets.token_hex(),
    "ALLOWED_HOSTS": "chat.example.org",
}
BYTES = os.fsdecode(b"\xff")  # an environment may hold anything
NONSENSE = [
    *(("ENVIRONMENT", value) for value in ("", "prod", "Production")),
    *(("PORT", value) for value in ("", "http", "0", "-1", "65536", "8000.5", "1\n2")),
    *(("DATABASE_URL", value) for value in ("", "gapless", "mysql://h/db", "postgresql://h:x/db")),
    *(("DATABASE_URL", value) for value in ("postgresql://[h/db", "postgresql://h/", BYTES)),
    *(("DATABASE_URL", value) for value in ("sqlite://", "sqlite:///", "sqlite://:memory:")),
    *(("REDIS_URL", value) for value in ("localhost:6379", "http://h", "redis://h:x", BYTES)),
    *(("REDIS_URL", value) for value in ("redis://[h", "redis://h:65536")),
    *(("REDIS_PREFIX", value) for value in ("", "a b", "a:b", "a" * 65, "a\n", BYTES)),
    *(("DATA_DIR", value) for value in ("", "/dev/null/x", "/dev/null", "~nobody-at-all", BYTES)),
    *(("SECRET_KEY", value) for value in ("short", "a" * 31, BYTES * 40)),
    *(("JWT_SIGNING_KEY", value) for value in ("short", "a" * 31, BYTES * 40)),
    *(("ALLOWED_HOSTS", value) for value in ("a b", "https://h", "h:80", "h/", "-h", "a,,b c")),
    *(("ALLOWED_ORIGINS", value) for value in ("*", "null", "example.org", "ws://h", "https://h/")),
    *(("ALLOWED_ORIGINS", value) for value in ("https://h:65536", "https://h:x", "https://a;b")),
    *(("TRUSTED_PROXY_COUNT", value) for value in ("", "-1", "11", "one", "1.5")),
    *(("REGISTRATION", value) for value in ("", "maybe", "Open")),
    *((name, value) for name in ("HTTP_HANDLER", "SENDS") for value in ("", "one", "Django")),
    *(("LIMITS", value) for value in ("", "{", "[]", "null", '{"nope": 1}', '{"a\\nb": 1}', BYTES)),
    *(("LIMITS", value) for value in ('{"page": null}', '{"page": 0}', '{"sockets": "1"}')),
    *((f"LOG_{name}", value) for name in ("LEVEL", "FORMAT") for value in ("", "loud", "Json")),
    *(("METRICS_TOKEN", value) for value in ("short", "a" * 15, "a b" * 8, "é" * 16, BYTES * 16)),
    *(("DEBUG", value) for value in ("", "perhaps", "2")),
]


@pytest.fixture(autouse=True)
def bare(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No variable of ours is set but the folder for data."""
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("DATA_DIR", str(tmp_path / "data"))


def refusal() -> str:
    """Return the words that the environment is refused with."""
    with pytest.raises(EnvironmentRefused) as caught:
        env.load()
    return str(caught.value)


# --- nonsense -------------------------------------------------------------------------------


def test_every_variable_has_its_nonsense() -> None:
    assert {name for name, _ in NONSENSE} == set(VARIABLES)


@pytest.mark.parametrize(("name", "value"), NONSENSE)
def test_nonsense_is_refused_in_one_line_that_names_the_variable(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    monkeypatch.setenv(name, value)
    words = refusal()
    assert words.startswith(f"{name}: ")
    assert words.endswith(".")
    assert words.isprintable()


@pytest.mark.parametrize(("name", "value"), dict(NONSENSE).items())
def test_nonsense_stops_every_command_with_that_line_alone(
    tmp_path: Path, name: str, value: str
) -> None:
    done = manage({"DATA_DIR": str(tmp_path)} | {name: value}, "check")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith(f"gapless: {name}: ")
    assert done.stderr.count("\n") == 1


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("DATABASE_URL", "postgresql://user:hidden@[host/db"),
        ("DATABASE_URL", "mysql://user:hidden@host/db"),
        ("REDIS_URL", "rediss//:hidden@host"),
        ("REDIS_URL", "redis://:hidden@host:port"),
        ("SECRET_KEY", "hidden"),
        ("JWT_SIGNING_KEY", "hidden"),
        ("METRICS_TOKEN", "hidden"),
    ],
)
def test_a_refusal_tells_no_secret(monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    monkeypatch.setenv(name, value)
    assert "hidden" not in refusal()


def test_a_folder_that_cannot_keep_a_key_is_told(tmp_path: Path) -> None:
    (tmp_path / "data" / "development-secret-key").mkdir(parents=True)
    assert refusal().startswith("DATA_DIR: ")


# --- production -----------------------------------------------------------------------------


def test_production_with_keys_and_hosts_of_its_own_is_taken(tmp_path: Path) -> None:
    done = manage({"DATA_DIR": str(tmp_path), **PRODUCTION}, "check")
    assert (done.returncode, done.stderr) == (0, "")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *((key, "") for key in ("SECRET_KEY", "JWT_SIGNING_KEY", "ALLOWED_HOSTS")),
        *((key, "a" * 64) for key in ("SECRET_KEY", "JWT_SIGNING_KEY")),
        *((key, "change-me") for key in ("SECRET_KEY", "JWT_SIGNING_KEY")),
        *((key, "abcdefg" * 9) for key in ("SECRET_KEY", "JWT_SIGNING_KEY")),
        *(("ALLOWED_HOSTS", hosts) for hosts in ("*", "chat.example.org, *", ",")),
        *(("DEBUG", yes) for yes in ("1", "true", "on")),
    ],
)
def test_production_refuses_what_development_forgives(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    for variable, good in PRODUCTION.items():
        monkeypatch.setenv(variable, good)
    monkeypatch.setenv(name, value)
    assert refusal().startswith(f"{name}: ")


@pytest.mark.parametrize("name", ["SECRET_KEY", "JWT_SIGNING_KEY"])
def test_production_refuses_the_keys_of_development(
    monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    developed = env.load()
    for variable, good in PRODUCTION.items():
        monkeypatch.setenv(variable, good)
    known = ("change-me-" * 4, "django-insecure-" + secrets.token_hex(), "0123456789abcdef" * 2)
    for key in (developed.secret_key, developed.jwt_signing_key, *known):
        monkeypatch.setenv(name, key)
        assert refusal() == f"{name}: a key of production must be random, and its own."


def test_production_refuses_one_key_for_both(monkeypatch: pytest.MonkeyPatch) -> None:
    for variable, good in PRODUCTION.items():
        monkeypatch.setenv(variable, good)
    monkeypatch.setenv("JWT_SIGNING_KEY", PRODUCTION["SECRET_KEY"])
    assert refusal() == "JWT_SIGNING_KEY: it is SECRET_KEY; it must be its own."


# --- what makes sense -----------------------------------------------------------------------


def test_production_speaks_to_machines_unless_told_otherwise(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for variable, good in PRODUCTION.items():
        monkeypatch.setenv(variable, good)
    assert env.load().log_format == "json"
    monkeypatch.setenv("LOG_FORMAT", "text")
    assert env.load().log_format == "text"


def test_no_environment_at_all_is_one_for_development(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.delenv("DATA_DIR")
    monkeypatch.setattr(env, "PROJECT", tmp_path)
    loaded = env.load()
    data = tmp_path / "data"
    assert loaded.database["ENGINE"] == "django.db.backends.sqlite3"
    assert loaded.database["NAME"] == str(data / "gapless.sqlite3")
    assert loaded == Environment(
        production=False,
        port=8000,
        database=loaded.database,
        redis_url=None,
        redis_prefix="gapless",
        data_dir=data,
        attachments=loaded.attachments,
        secret_key=(data / "development-secret-key").read_text().strip(),
        jwt_signing_key=(data / "development-jwt-signing-key").read_text().strip(),
        allowed_hosts=["localhost", "127.0.0.1", "[::1]"],
        allowed_origins=[],
        trusted_proxy_count=0,
        registration_open=True,
        http_handler="pool",
        group_sends=True,
        limits=Limits(),
        log_level="INFO",
        log_format="text",
        metrics_token=None,
        debug=False,
    )


def test_what_is_set_is_what_is_meant(monkeypatch: pytest.MonkeyPatch) -> None:
    said = {
        "PORT": "80",
        "DATABASE_URL": "postgresql://gapless:pass%40word@db.example.org:5433/chat",
        "REDIS_URL": "rediss://:secret@[::1]:6380/1",
        "REDIS_PREFIX": "staging.eu-1",
        "ALLOWED_HOSTS": "chat.example.org, .example.net,[::1]",
        "ALLOWED_ORIGINS": "https://App.example.org, http://[::1]:5173,",
        "TRUSTED_PROXY_COUNT": "2",
        "REGISTRATION": "closed",
        "HTTP_HANDLER": "django",
        "SENDS": "single",
        "LIMITS": '{"sockets": null, "socket_age": 0.5}',
        "LOG_LEVEL": "DEBUG",
        "LOG_FORMAT": "json",
        "METRICS_TOKEN": "0123456789abcdef",
        "DEBUG": "yes",
    }
    for name, value in said.items():
        monkeypatch.setenv(name, value)
    loaded = env.load()
    wanted = {"HOST": "db.example.org", "PORT": 5433, "NAME": "chat", "PASSWORD": "pass@word"}
    assert {name: loaded.database[name] for name in wanted} == wanted
    assert (loaded.port, loaded.trusted_proxy_count) == (80, 2)
    assert (loaded.redis_url, loaded.redis_prefix) == (said["REDIS_URL"], said["REDIS_PREFIX"])
    assert loaded.allowed_hosts == ["chat.example.org", ".example.net", "[::1]"]
    assert loaded.allowed_origins == ["https://app.example.org", "http://[::1]:5173"]
    assert loaded.limits == msgspec.structs.replace(Limits(), sockets=None, socket_age=0.5)
    assert (loaded.log_level, loaded.debug, loaded.registration_open) == ("DEBUG", True, False)
    assert (loaded.http_handler, loaded.group_sends) == ("django", False)
    assert (loaded.log_format, loaded.metrics_token) == ("json", "0123456789abcdef")


def test_the_folder_may_be_in_a_home(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("DATA_DIR", "~/gapless")
    assert env.load().data_dir == tmp_path / "gapless"
