"""Keys for development: made once, for nobody else to read, the same for all processes."""

import subprocess
import sys
from pathlib import Path

from config import env
from tests.servers import PROJECT
from tests.test_environment import bare  # noqa: F401  # for every test here as well


def test_keys_are_made_once_and_are_nobody_elses_to_read(tmp_path: Path) -> None:
    first, second = env.load(), env.load()
    assert (first.secret_key, first.jwt_signing_key) == (second.secret_key, second.jwt_signing_key)
    assert first.secret_key != first.jwt_signing_key
    assert min(len(first.secret_key), len(first.jwt_signing_key)) >= env.KEY_BYTES_MIN
    kept = sorted((tmp_path / "data").iterdir())
    assert [path.name for path in kept] == ["development-jwt-signing-key", "development-secret-key"]
    assert {path.stat().st_mode & 0o777 for path in kept} == {0o600}


RACE = """
import os, pathlib, sys
from config import env
root = pathlib.Path(sys.argv[1])
print("ready", flush=True)
sys.stdin.readline()
for number in range(100):
    os.environ["DATA_DIR"] = str(root / str(number))
    print(env.load().secret_key)
"""


def test_processes_that_make_the_key_at_once_agree_on_one(tmp_path: Path) -> None:
    racers = [
        subprocess.Popen(
            [sys.executable, "-c", RACE, str(tmp_path)],
            cwd=PROJECT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for _ in range(3)
    ]
    for racer in racers:
        assert racer.stdout
        assert racer.stdout.readline() == "ready\n"
    for racer in racers:
        assert racer.stdin
        racer.stdin.write("go\n")
        racer.stdin.flush()
    keys = [racer.communicate(timeout=120)[0].split() for racer in racers]
    assert [racer.returncode for racer in racers] == [0, 0, 0]
    assert keys[0] == keys[1] == keys[2]
    assert len(set(keys[0])) == 100
    assert len(list((tmp_path / "0").iterdir())) == 2, "no drafts are left"
