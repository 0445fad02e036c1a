"""The image, without an engine to build it: its files, its settings, its commands, run for real."""

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests import secrets_seen
from tests.backends import free_port
from tests.servers import PROJECT, wait_ready

DOCKERFILE = (PROJECT / "Dockerfile").read_text().replace("\\\n", " ")
FINAL_STAGE = DOCKERFILE.rpartition("\nFROM ")[2]


def instructions(word: str) -> list[str]:
    """Return the arguments of an instruction in the final stage."""
    return re.findall(rf"^{word}\s+(.*)$", FINAL_STAGE, re.MULTILINE)


@pytest.fixture
def image(tmp_path: Path) -> Path:
    """A folder with what the image has in /app."""
    app = tmp_path / "app"
    app.mkdir()
    for line in instructions("COPY"):
        if line.startswith("--from"):
            continue
        *sources, target = line.split()
        for source in sources:
            if (PROJECT / source).is_dir():
                ignore = shutil.ignore_patterns("__pycache__")
                shutil.copytree(PROJECT / source, app / target, ignore=ignore)
            else:
                shutil.copy(PROJECT / source, app / target)
    return app


@pytest.fixture
def env(tmp_path: Path) -> dict[str, str]:
    """The image's variables, and those that an operator has to give."""
    variables = dict(
        pair.split("=", 1) for line in instructions("ENV") for pair in shlex.split(line)
    )
    variables["PATH"] = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    return variables | {
        "DATA_DIR": str(tmp_path / "data"),
        "PORT": str(free_port()),
        "SECRET_KEY": "s1-" + os.urandom(32).hex(),
        "JWT_SIGNING_KEY": "j1-" + os.urandom(32).hex(),
        "ALLOWED_HOSTS": "chat.example.org",
        "LIMITS": '{"drain_seconds": 0.2}',
    }


@pytest.fixture
def container(image: Path, env: dict[str, str]) -> Iterator[subprocess.Popen[bytes]]:
    """The command of the image, under way."""
    migrate = [sys.executable, "manage.py", "migrate", "--verbosity", "0"]
    subprocess.run(migrate, cwd=image, env=env, check=True)
    command = json.loads(instructions("CMD")[-1])
    secrets_seen.note(env)
    with secrets_seen.new_log("image").open("w") as log:
        process = subprocess.Popen(command, cwd=image, env=env, stdout=log, stderr=log)
    wait_ready(f"http://127.0.0.1:{env['PORT']}", process)
    yield process
    process.kill()
    process.wait()


def test_the_command_serves_is_healthy_and_ends_with_0_on_sigterm(
    container: subprocess.Popen[bytes], image: Path, env: dict[str, str]
) -> None:
    url = f"http://127.0.0.1:{env['PORT']}/api/v1"
    assert httpx.get(url, headers={"Host": "chat.example.org"}).status_code == 200
    foreign = httpx.get(url, headers={"Host": "elsewhere.example.org"})
    assert (foreign.status_code, foreign.json()["code"]) == (400, "invalid_request")

    _, _, check = FINAL_STAGE.partition("HEALTHCHECK")[2].partition("CMD")
    health = json.loads(check.strip().splitlines()[0])
    assert subprocess.run(health, cwd=image, env=env, check=False).returncode == 0

    container.terminate()
    assert container.wait(20) == 0
    quiet = subprocess.DEVNULL
    gone = subprocess.run(health, cwd=image, env=env, check=False, stderr=quiet)
    assert gone.returncode != 0


@pytest.mark.parametrize("missing", ["SECRET_KEY", "JWT_SIGNING_KEY", "ALLOWED_HOSTS"])
def test_production_refuses_to_start_without(
    image: Path, env: dict[str, str], missing: str
) -> None:
    del env[missing]
    command = json.loads(instructions("CMD")[-1])
    refused = subprocess.run(
        command, cwd=image, env=env, capture_output=True, text=True, timeout=120, check=False
    )
    assert refused.returncode != 0
    assert refused.stderr.startswith(f"gapless: {missing}: ")
    assert refused.stderr.count("\n") == 1


def test_the_image_runs_as_nobody_special_and_has_no_build_tools() -> None:
    assert instructions("USER") == ["gapless"]
    assert DOCKERFILE.count("FROM python:") == 2
    assert "pip install" not in FINAL_STAGE
    assert "apt-get" not in DOCKERFILE
