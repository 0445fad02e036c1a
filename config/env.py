"""The only reader of the environment: typed, and loud about what makes no sense.

Every variable has a meaning without being set, in development. Production refuses what
development forgives: keys made up on the spot, debug pages, an open host list.
"""

import contextlib
import os
import re
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urlsplit

import dj_database_url
import msgspec
from environs import Env
from environs.exceptions import EnvError

from api.limits import Limits
from config.storages import storage_of

PROJECT = Path(__file__).resolve().parent.parent
KEY_BYTES_MADE = 48  # of randomness, in a key for development
KEY_BYTES_MIN = 32  # RFC 7518, section 3.2: as long as the hash of HS256
HTTP_HANDLERS = ("pool", "django")  # how config/handlers.py runs Django
LOG_FORMATS = ("json", "text")
LOG_LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL")
_EXAMPLE = re.compile("insecure|change|secret|example|default|your", re.IGNORECASE)
_HOST = re.compile(r"(\*|\.?[a-z0-9]([a-z0-9.-]*[a-z0-9])?|\[[0-9a-f:.]+\])", re.IGNORECASE)
_ORIGIN = re.compile(r"https?://([a-z0-9.-]+|\[[0-9a-f:.]+\])(:\d{1,5})?", re.IGNORECASE)
_PREFIX = re.compile(r"[A-Za-z0-9._-]{1,64}")
_TOKEN = re.compile(r"[A-Za-z0-9._~+/=-]{16,}")  # RFC 6750, section 2.1

Value = TypeVar("Value")


class EnvironmentRefused(ValueError):
    """A variable says something that cannot be meant; the message names it."""


@dataclass(frozen=True)
class Environment:
    """What the operator decided."""

    production: bool
    port: int
    database: dict[str, Any]
    redis_url: str | None
    redis_prefix: str
    data_dir: Path
    attachments: dict[str, Any]
    secret_key: str
    jwt_signing_key: str
    allowed_hosts: list[str]
    allowed_origins: list[str]
    trusted_proxy_count: int
    registration_open: bool
    http_handler: str
    group_sends: bool
    limits: Limits
    log_level: str
    log_format: str
    metrics_token: str | None
    debug: bool


def load() -> Environment:
    """Read the process environment.

    Raises:
        EnvironmentRefused: naming the variable and what is wrong with it.
    """
    env = Env()
    production = _choice(env, "ENVIRONMENT", ("development", "production")) == "production"
    data_dir = _data_dir(env)
    return Environment(
        production=production,
        port=_integer(env, "PORT", 8000, 1, 65_535),
        database=_database(env, data_dir),
        redis_url=_redis_url(env),
        redis_prefix=_redis_prefix(env),
        data_dir=data_dir,
        attachments=_attachments(env, data_dir),
        secret_key=_key(env, "SECRET_KEY", production, data_dir),
        jwt_signing_key=_signing_key(env, production, data_dir),
        allowed_hosts=_hosts(env, production),
        allowed_origins=_origins(env),
        trusted_proxy_count=_integer(env, "TRUSTED_PROXY_COUNT", 0, 0, 10),
        registration_open=_choice(env, "REGISTRATION", ("open", "closed")) == "open",
        http_handler=_choice(env, "HTTP_HANDLER", HTTP_HANDLERS),
        group_sends=_choice(env, "SENDS", ("grouped", "single")) == "grouped",
        limits=_limits(env),
        log_level=_choice(env, "LOG_LEVEL", LOG_LEVELS, "INFO"),
        log_format=_choice(env, "LOG_FORMAT", LOG_FORMATS, "json" if production else "text"),
        metrics_token=_metrics_token(env),
        debug=_debug(env, production),
    )


def _read(reader: Callable[..., Value], name: str, default: Any) -> Value:
    try:
        value = reader(name, default)
        str(value).encode()
    except EnvError as error:
        raise EnvironmentRefused(f"{name}: {_reason(error)}") from None
    except UnicodeEncodeError:
        raise EnvironmentRefused(f"{name}: it is no UTF-8.") from None
    return value


def _reason(error: EnvError) -> str:
    messages = getattr(error, "error_messages", None) or [str(error)]
    return " ".join(str(message) for message in messages)


def _choice(env: Env, name: str, choices: tuple[str, ...], default: str | None = None) -> str:
    value: str = _read(env.str, name, default or choices[0])
    if value not in choices:
        raise EnvironmentRefused(f"{name}: {value!r} is none of {', '.join(choices)}.")
    return value


def _integer(env: Env, name: str, default: int, low: int, high: int) -> int:
    value: int = _read(env.int, name, default)
    if not low <= value <= high:
        raise EnvironmentRefused(f"{name}: {value} is not between {low} and {high}.")
    return value


def _list(env: Env, name: str, shape: re.Pattern[str], meaning: str) -> list[str]:
    values = [value.strip() for value in _read(env.str, name, "").split(",") if value.strip()]
    for value in values:
        if not shape.fullmatch(value):
            raise EnvironmentRefused(f"{name}: {value!r} is not {meaning}.")
    return values


def _origins(env: Env) -> list[str]:
    origins = _list(env, "ALLOWED_ORIGINS", _ORIGIN, "an origin, as https://example.org")
    for origin in origins:
        _check_url("ALLOWED_ORIGINS", origin)
    return [origin.lower() for origin in origins]  # as browsers spell their own


def _check_url(name: str, url: str) -> None:
    try:
        urlsplit(url).port  # noqa: B018  it is read when it is asked for
    except ValueError:
        raise EnvironmentRefused(f"{name}: its host or its port is no such thing.") from None


def _hosts(env: Env, production: bool) -> list[str]:
    hosts = _list(env, "ALLOWED_HOSTS", _HOST, "a host name")
    if production and (not hosts or "*" in hosts):
        raise EnvironmentRefused("ALLOWED_HOSTS: production needs a list of host names.")
    return hosts or ["localhost", "127.0.0.1", "[::1]"]


def _data_dir(env: Env) -> Path:
    name: str = _read(env.str, "DATA_DIR", str(PROJECT / "data"))
    if not name:
        raise EnvironmentRefused("DATA_DIR: it names no folder.")
    try:
        return Path(name).expanduser()
    except RuntimeError:
        raise EnvironmentRefused(f"DATA_DIR: {name!r}: there is no such home.") from None


def _made(folder: Path) -> Path:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise EnvironmentRefused(f"DATA_DIR: {str(folder)!r}: {error.strerror}.") from None
    return folder


def _database(env: Env, data_dir: Path) -> dict[str, Any]:
    url: str = _read(env.str, "DATABASE_URL", f"sqlite:///{data_dir / 'gapless.sqlite3'}")
    try:
        config = dict(dj_database_url.parse(url))
    except ValueError:  # its words may hold the password
        raise EnvironmentRefused("DATABASE_URL: it is no URL of a database.") from None
    if str(config["ENGINE"]).rpartition(".")[2] not in ("sqlite3", "postgresql"):
        raise EnvironmentRefused("DATABASE_URL: neither sqlite:// nor postgresql://.")
    if not config["NAME"] or config["NAME"] == ":memory:":
        raise EnvironmentRefused("DATABASE_URL: it names no database that lasts.")
    if str(config["ENGINE"]).endswith("sqlite3"):
        _made(data_dir)
    return config


def _attachments(env: Env, data_dir: Path) -> dict[str, Any]:
    try:
        return storage_of(_read(env.str, "ATTACHMENTS", ""), data_dir)
    except ValueError as error:
        raise EnvironmentRefused(f"ATTACHMENTS: {error}") from None


def _redis_url(env: Env) -> str | None:
    url: str = _read(env.str, "REDIS_URL", "")
    if url and not url.startswith(("redis://", "rediss://", "unix://")):
        raise EnvironmentRefused("REDIS_URL: neither redis://, rediss:// nor unix://.")
    _check_url("REDIS_URL", url)
    return url or None


def _redis_prefix(env: Env) -> str:
    prefix: str = _read(env.str, "REDIS_PREFIX", "gapless")
    if not _PREFIX.fullmatch(prefix):
        raise EnvironmentRefused("REDIS_PREFIX: 1 to 64 letters, digits, '.', '_', '-'.")
    return prefix


def _debug(env: Env, production: bool) -> bool:
    debug: bool = _read(env.bool, "DEBUG", False)
    if debug and production:
        raise EnvironmentRefused("DEBUG: never in production.")
    return debug


def _limits(env: Env) -> Limits:
    try:
        return msgspec.json.decode(_read(env.str, "LIMITS", "{}"), type=Limits)
    except msgspec.DecodeError as error:
        raise EnvironmentRefused(f"LIMITS: {' '.join(str(error).split())}.") from None


def _key(env: Env, name: str, production: bool, data_dir: Path) -> str:
    key: str = _read(env.str, name, "")
    if not key and not production:
        return _development_key(data_dir / f"development-{name.lower().replace('_', '-')}")
    if len(key.encode()) < KEY_BYTES_MIN:
        raise EnvironmentRefused(f"{name}: at least {KEY_BYTES_MIN} bytes are needed.")
    if production and (_is_guessable(key) or _is_development_key(data_dir, key)):
        raise EnvironmentRefused(f"{name}: a key of production must be random, and its own.")
    return key


def _is_guessable(key: str) -> bool:
    """Tell whether a key has few letters, repeats itself, or is what an example begins with."""
    repeats = key in (key + key)[1:-1]
    return len(set(key)) < KEY_BYTES_MIN // 4 or repeats or _EXAMPLE.search(key) is not None


def _signing_key(env: Env, production: bool, data_dir: Path) -> str:
    key = _key(env, "JWT_SIGNING_KEY", production, data_dir)
    if production and key == _read(env.str, "SECRET_KEY", ""):
        raise EnvironmentRefused("JWT_SIGNING_KEY: it is SECRET_KEY; it must be its own.")
    return key


def _metrics_token(env: Env) -> str | None:
    token: str = _read(env.str, "METRICS_TOKEN", "")
    if token and not _TOKEN.fullmatch(token):
        raise EnvironmentRefused("METRICS_TOKEN: at least 16 letters, digits and '-._~+/='.")
    return token or None


def _development_key(path: Path) -> str:
    """Return the key kept at ``path``; the first process to come makes it."""
    _made(path.parent)
    try:
        if not path.exists():
            _make_key(path)
        return path.read_text().strip()
    except OSError as error:
        raise EnvironmentRefused(f"DATA_DIR: {str(path)!r}: {error.strerror}.") from None


def _make_key(path: Path) -> None:
    draft = path.with_suffix(f".{secrets.token_hex(8)}")  # containers share process ids
    draft.touch(mode=0o600)
    draft.write_text(secrets.token_urlsafe(KEY_BYTES_MADE) + "\n")
    with contextlib.suppress(FileExistsError):
        os.link(draft, path)  # whole or not at all, and never over another's
    draft.unlink()


def _is_development_key(data_dir: Path, key: str) -> bool:
    return any(key == path.read_text().strip() for path in data_dir.glob("development-*"))
