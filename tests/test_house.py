"""The house: delivery knows streams, not nouns, and whoever adds a noun need not touch it."""

import ast
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from tests.servers import PROJECT

KNOWN_TO_DELIVERY = {  # house.md: what realtime may know of what is recorded
    *(
        "access",
        "allowance",
        "clock",
        "codec",
        "commands",
        "discovery",
        "errors",
        "events",
        "examples",
        "headers",
        "invalid",
    ),
    *("limits", "log", "metrics", "openapi", "problems", "replay", "rest", "signs", "tracing"),
}
NO_SLICES = {"log", "management", "migrations"}


def slices() -> set[str]:
    """Return the folders of nouns."""
    found = {path.parent.name for path in (PROJECT / "api").glob("*/__init__.py")}
    return found - NO_SLICES


def imported(path: Path) -> set[str]:
    """Return the names of the modules of ``api`` that a file imports."""
    names = []
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module == "api":
            names += [f"api.{alias.name}" for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            names.append(node.module or "")
    return {name.split(".")[1] for name in names if name.startswith("api.")}


@pytest.mark.parametrize(
    "path", sorted((PROJECT / "realtime").rglob("*.py")), ids=lambda path: path.stem
)
def test_delivery_imports_no_noun(path: Path) -> None:
    assert imported(path) <= KNOWN_TO_DELIVERY


def test_what_delivery_knows_is_no_noun_and_is_there() -> None:
    assert not KNOWN_TO_DELIVERY & slices()
    there = {path.stem for path in (PROJECT / "api").iterdir()}
    assert there >= KNOWN_TO_DELIVERY


def test_the_linter_forbids_delivery_every_slice() -> None:
    rules = tomllib.loads((PROJECT / "pyproject.toml").read_text())["tool"]["importlinter"]
    forbidden = next(rule for rule in rules["contracts"] if rule["id"] == "streams-only")
    inside = next(rule for rule in rules["contracts"] if rule["id"] == "slice-inside")
    assert {name.removeprefix("api.") for name in forbidden["forbidden_modules"]} == slices()
    assert {name.removeprefix("api.") for name in inside["containers"]} - {"accounts"} == slices()


def test_twisted_is_loaded_for_the_server_of_development_alone() -> None:
    loaded = "import config.asgi, realtime.server, sys; print('twisted' in sys.modules)"
    served = subprocess.run(
        [sys.executable, "-c", loaded], cwd=PROJECT, capture_output=True, text=True, check=True
    )
    assert served.stdout == "False\n"
