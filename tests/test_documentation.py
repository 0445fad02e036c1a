"""What the documentation says is what happens: the README's commands, the docs page, the files."""

import json
import re
import shutil
import subprocess
from pathlib import Path

import httpx
import pytest
import yaml
from django.core.management import CommandError, call_command

from api.limits import Limits
from config import env
from tests.servers import PROJECT, World

README = (PROJECT / "README.md").read_text()
OPERATIONS = (PROJECT / "docs" / "operations.md").read_text()
LOCAL = "http://127.0.0.1:8000"


def test_the_first_conversation_of_the_readme_works_as_it_is_written(embedded: World) -> None:
    (script,) = re.findall(r"```bash\n(.*?)```", README, re.DOTALL)
    assert LOCAL in script
    assert '"ada"' in script
    script = script.replace('"ada"', '"ada.of.the.readme"')  # others are called so as well
    spoken = subprocess.run(
        ["bash", "-eo", "pipefail", "-c", script.replace(LOCAL, embedded.server.url)],
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert spoken.returncode == 0, spoken.stderr
    decoder = json.JSONDecoder()
    sent, end = decoder.raw_decode(spoken.stdout)
    page, _ = decoder.raw_decode(spoken.stdout[end:])
    assert sent["text"] == "Is anybody there?"
    assert page["items"] == [sent]
    assert re.search(r"export TOKEN=\S+ ROOM=\S+", spoken.stdout)


def test_the_readme_names_every_variable_that_is_read() -> None:
    source = (PROJECT / "config" / "env.py").read_text()
    read = set(re.findall(r'env[.\w]*, "([A-Z_]+)"', source))
    named = set(re.findall(r"^\| `([A-Z_]+)` \|", README, re.MULTILINE))
    assert read == named


def test_operations_name_every_limit_command_and_sample() -> None:
    for limit in Limits.__struct_fields__:
        assert f"`{limit}`" in OPERATIONS, limit
    commands = {path.stem for path in PROJECT.glob("*/management/commands/*.py")} - {"__init__"}
    for command in commands:
        assert re.search(rf"`(manage\.py )?{command}\b", OPERATIONS), command
    sources = "".join(path.read_text() for path in PROJECT.glob("*/*.py"))
    samples = re.findall(r'(?:"gapless_|_counter\(")(\w+)"', sources)
    named = re.findall(r"`gapless_(\w+)`", OPERATIONS)
    assert {name.removesuffix("_total") for name in named} == {
        name.removesuffix("_total") for name in samples
    }


@pytest.mark.parametrize(
    "path", ["README.md", "SECURITY.md", "CHANGELOG.md", *PROJECT.glob("docs/**/*.md")], ids=str
)
def test_links_between_documents_lead_somewhere(path: str) -> None:
    document = PROJECT / path
    for link in re.findall(r"\]\((?!http)([^)#]+)", document.read_text()):
        assert (document.parent / link).exists(), link


def test_every_promise_of_security_has_a_test_and_every_test_named_there_exists() -> None:
    text = (PROJECT / "SECURITY.md").read_text()
    rows = re.findall(r"^\| ([^*|\n].*?) \| (.+) \|$", text, re.MULTILINE)[1:]
    sources = "".join(path.read_text() for path in (PROJECT / "tests").glob("*.py"))
    there = set(re.findall(r"^(?:async )?def (\w+)\(", sources, re.MULTILINE))
    assert len(rows) > 20
    for promise, shown_by in rows:
        named = re.findall(r"`(\w+)`", shown_by)
        assert named, promise
        assert set(named) <= there, promise


@pytest.mark.parametrize("name", ["openapi.yaml", "asyncapi.yaml"])
def test_the_contract_is_served_as_it_is_committed(embedded: World, name: str) -> None:
    served = httpx.get(f"{embedded.server.url}/{name}")
    assert served.status_code == 200
    assert served.headers["content-type"] == "application/yaml"
    assert served.text == (PROJECT / name).read_text()
    assert yaml.safe_load(served.text)["info"]["title"] == "Gapless"


def test_a_contract_that_is_not_what_the_code_says_is_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("openapi.yaml", "asyncapi.yaml"):
        shutil.copy(PROJECT / name, tmp_path)
    monkeypatch.setattr(env, "PROJECT", tmp_path)
    call_command("contract", "--check")
    with (tmp_path / "asyncapi.yaml").open("a") as drifting:
        drifting.write("# drift\n")
    with pytest.raises(CommandError, match=r"^asyncapi\.yaml: not what the code says"):
        call_command("contract", "--check")
    call_command("contract")
    assert (tmp_path / "asyncapi.yaml").read_text() == (PROJECT / "asyncapi.yaml").read_text()


def test_the_docs_page_has_its_own_assets_under_a_strict_policy(embedded: World) -> None:
    page = httpx.get(embedded.server.url + "/docs")
    policy = page.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "script-src 'self';" in policy
    assert re.findall(r"<script(?![^>]*\bsrc=)", page.text) == []
    assets = re.findall(r'(?:src|href)="([^"]+)"', page.text)
    assert len(assets) == 4
    for asset in assets:
        assert asset.startswith("/static/")
        assert httpx.get(embedded.server.url + asset).status_code == 200
